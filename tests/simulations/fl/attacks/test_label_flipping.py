from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulations.fl.errors import DataError


@pytest.mark.parametrize("num_classes", range(2, 63))
def test_every_class_becomes_another_and_each_is_used_once(num_classes: int, build: Any) -> None:
    for seed in range(5):
        mapping = build("label_flipping", seed=seed, num_classes=num_classes).mapping
        assert sorted(mapping.tolist()) == list(range(num_classes))
        assert all(mapping[label] != label for label in range(num_classes))


def test_labels_follow_the_mapping_and_images_stay(
    build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    attack = build("label_flipping")
    samples, flipped = attack.poison(images, labels, np.random.default_rng(0))
    assert flipped.tolist() == [attack.mapping[label] for label in labels.tolist()]
    assert np.array_equal(samples, images)


def test_clients_and_rounds_share_one_mapping(
    build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    attack = build("label_flipping")
    flipped = [
        attack.poison(images, labels, np.random.default_rng((client, round_number)))[1]
        for client in range(4)
        for round_number in range(4)
    ]
    assert all(np.array_equal(one, flipped[0]) for one in flipped)


def test_another_entry_draws_another_mapping(build: Any) -> None:
    first = build("label_flipping", seed=1).mapping
    assert np.array_equal(first, build("label_flipping", seed=1).mapping)
    assert any(
        not np.array_equal(first, build("label_flipping", seed=s).mapping) for s in (2, 3, 4)
    )


def test_the_nine_derangements_of_four_classes_are_equally_likely(build: Any) -> None:
    draws = [
        tuple(build("label_flipping", seed=seed, num_classes=4).mapping.tolist())
        for seed in range(1800)
    ]
    counts = [draws.count(derangement) for derangement in set(draws)]
    assert len(counts) == 9
    assert min(counts) > 140 and max(counts) < 260


def test_one_class_cannot_be_flipped(build: Any) -> None:
    with pytest.raises(DataError, match="at least 2 classes, not 1"):
        build("label_flipping", num_classes=1)


def test_texts_are_accepted(build: Any) -> None:
    samples, flipped = build("label_flipping").poison(
        ["a", "b"], np.array([0, 1]), np.random.default_rng(0)
    )
    assert samples == ["a", "b"] and flipped[0] != 0 and flipped[1] != 1
