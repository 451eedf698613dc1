from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, 20), (0.5, 10), (0.28, 6), (0.01, 1)])
def test_the_share_of_the_source_class_is_exact(ratio: float, expected: int, build: Any) -> None:
    labels = np.arange(200, dtype=np.int64) % 10
    attack = build("targeted_label_flipping", flip_ratio=ratio)
    _, flipped = attack.poison(np.zeros((200, 1, 2, 2)), labels, np.random.default_rng(0))
    changed = np.flatnonzero(flipped != labels)
    assert len(changed) == expected
    assert set(labels[changed]) == {3} and set(flipped[changed]) == {7}


def test_other_draws_choose_other_samples(build: Any) -> None:
    labels = np.full(100, 3, dtype=np.int64)
    attack = build("targeted_label_flipping", flip_ratio=0.5)
    one, other = (
        attack.poison(np.zeros((100, 1)), labels, np.random.default_rng(seed))[1] for seed in (1, 2)
    )
    assert not np.array_equal(one, other)


def test_a_client_without_the_source_class_has_nothing_to_flip(build: Any) -> None:
    labels = np.array([1, 2, 7])
    _, flipped = build("targeted_label_flipping").poison(
        np.zeros((3, 1)), labels, np.random.default_rng(0)
    )
    assert np.array_equal(flipped, labels)


def test_success_is_a_source_image_taken_for_the_target(
    build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    samples, wanted = build("targeted_label_flipping").success_set(images, labels)
    assert np.array_equal(samples, np.stack([images[i] for i in (3, 13, 23, 33)]))
    assert wanted.tolist() == [7, 7, 7, 7]


def test_success_works_on_texts(build: Any) -> None:
    samples, wanted = build("targeted_label_flipping").success_set(
        ["a", "b", "c"], np.array([3, 1, 3])
    )
    assert samples == ["a", "c"] and wanted.tolist() == [7, 7]


def test_without_source_samples_success_is_undefined(build: Any) -> None:
    assert build("targeted_label_flipping").success_set(np.zeros((2, 1)), np.array([1, 2])) is None


def test_source_and_target_must_differ(build: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        build("targeted_label_flipping", source_class=4, target_class=4)
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("target_class",)
    assert problem["msg"] == "must differ from source_class, both are 4"


@pytest.mark.parametrize("ratio", [0, -0.1, 1.01])
def test_ratios_outside_zero_to_one_are_refused(ratio: float, build: Any) -> None:
    with pytest.raises(ValidationError):
        build("targeted_label_flipping", flip_ratio=ratio)
