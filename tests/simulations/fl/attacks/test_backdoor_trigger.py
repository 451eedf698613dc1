from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from simulations.fl.errors import DataError

BLACK = np.zeros((1, 2, 7, 9), np.float32)


def stamped_pixels(attack: Any, images: np.ndarray = BLACK) -> set[tuple[int, int]]:
    image = attack.stamp(images)[0]
    assert all(np.array_equal(channel, image[0]) for channel in image)
    return {(int(row), int(column)) for row, column in np.argwhere(image[0])}


def block(top: int, left: int, size: int) -> set[tuple[int, int]]:
    return {(top + row, left + column) for row in range(size) for column in range(size)}


@pytest.mark.parametrize(
    ("position", "top", "left"), [("bottom_right", 4, 6), ("top_left", 0, 0), ("center", 2, 3)]
)
def test_the_square_lies_where_it_is_wanted(position: str, top: int, left: int, build: Any) -> None:
    attack = build("backdoor_trigger", trigger_size=3, trigger_position=position)
    assert stamped_pixels(attack) == block(top, left, 3)


def test_the_cross_is_a_line_across_and_a_line_down(build: Any) -> None:
    attack = build(
        "backdoor_trigger", trigger_size=3, trigger_pattern="cross", trigger_position="top_left"
    )
    assert stamped_pixels(attack) == {(1, 0), (1, 1), (1, 2), (0, 1), (2, 1)}


def test_a_random_place_is_drawn_once_for_the_entry(build: Any) -> None:
    def build_random(seed: int) -> Any:
        return build("backdoor_trigger", seed=seed, trigger_size=2, trigger_position="random")

    attack = build_random(3)
    assert stamped_pixels(attack) == stamped_pixels(attack) == stamped_pixels(build_random(3))
    corners = {min(stamped_pixels(build_random(seed))) for seed in range(400)}
    assert corners == {(row, column) for row in range(6) for column in range(8)}


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_the_patch_has_the_wanted_brightness(value: float, build: Any) -> None:
    attack = build("backdoor_trigger", trigger_value=value)
    stamped = attack.stamp(np.full((1, 1, 5, 5), 0.5, np.float32))
    assert (stamped[0, 0, 1:, 1:] == np.float32(value)).all()
    assert (stamped[0, 0, 0] == 0.5).all() and (stamped[0, 0, :, 0] == 0.5).all()


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, 40), (0.25, 10), (0.11, 4), (0.001, 1)])
def test_the_share_of_poisoned_samples_is_exact(
    ratio: float, expected: int, build: Any, images: np.ndarray
) -> None:
    labels = np.full(40, 5, np.int64)
    attack = build("backdoor_trigger", poison_ratio=ratio)
    stamped, relabelled = attack.poison(images, labels, np.random.default_rng(0))
    changed = (stamped != images).any(axis=(1, 2, 3))
    assert changed.sum() == expected
    assert np.array_equal(relabelled, np.where(changed, 2, 5))
    assert np.array_equal(stamped[changed], attack.stamp(images[changed]))


def test_success_is_a_triggered_image_of_another_class(
    build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    attack = build("backdoor_trigger")
    samples, wanted = attack.success_set(images, labels)
    others = [index for index in range(40) if index % 10 != 2]
    assert np.array_equal(samples, attack.stamp(images[others]))
    assert wanted.tolist() == [2] * 36
    assert attack.success_set(images[labels == 2], labels[labels == 2]) is None


def test_a_trigger_larger_than_the_image_is_refused(build: Any) -> None:
    attack = build("backdoor_trigger", trigger_size=8)
    sentence = "trigger_size 8 does not fit images of 7x9 pixels; use at most 7"
    with pytest.raises(DataError, match=sentence):
        attack.poison(BLACK, np.zeros(1, np.int64), np.random.default_rng(0))
    assert len(stamped_pixels(build("backdoor_trigger", trigger_size=7))) == 49


@pytest.mark.parametrize(
    "wrong",
    [
        {"trigger_pattern": "star"},
        {"trigger_position": "left"},
        {"trigger_size": 0},
        {"trigger_value": 1.5},
        {"poison_ratio": 0.0},
        {"target_class": -1},
        {"target_class": "2"},
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], build: Any) -> None:
    with pytest.raises(ValidationError):
        build("backdoor_trigger", **wrong)
