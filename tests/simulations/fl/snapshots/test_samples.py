from __future__ import annotations

import numpy as np

from simulations.fl.snapshots.samples import (
    Comparison,
    Stage,
    changed_region,
    confusion,
    flip_summary,
    shown_indices,
)


def test_confusion_counts_equal_brute_force() -> None:
    draw = np.random.default_rng(3)
    before, after = draw.choice([2, 5, 7, 40], 500), draw.choice([0, 5, 7], 500)
    classes, counts = confusion(before, after)
    assert classes.tolist() == [0, 2, 5, 7, 40]
    for row, old in enumerate(classes):
        for column, new in enumerate(classes):
            pairs = zip(before.tolist(), after.tolist(), strict=True)
            assert counts[row, column] == sum(pair == (old, new) for pair in pairs)


def test_flip_summary_lists_the_most_frequent_first() -> None:
    before, after = np.array([1, 1, 1, 2, 3, 3]), np.array([0, 0, 1, 2, 2, 0])
    assert flip_summary(before, after) == {
        "total_samples": 6,
        "flipped_samples": 4,
        "flip_rate": 4 / 6,
        "flips": [
            {"from": 1, "to": 0, "count": 2},
            {"from": 3, "to": 0, "count": 1},
            {"from": 3, "to": 2, "count": 1},
        ],
    }


def test_shown_samples_changed_and_are_spread(
    images: np.ndarray, labels: np.ndarray, stamped: Stage
) -> None:
    comparison = Comparison(images, stamped.samples, labels, stamped.labels)
    assert shown_indices(comparison, 4).tolist() == [0, 9, 18, 27]
    assert shown_indices(comparison, 50).tolist() == list(range(0, 30, 3))


def test_without_changes_some_samples_are_shown_all_the_same(
    images: np.ndarray, labels: np.ndarray
) -> None:
    comparison = Comparison(images, images.copy(), labels, labels.copy())
    assert shown_indices(comparison, 3).tolist() == [0, 14, 29]


def test_the_changed_region_holds_all_changed_pixels(images: np.ndarray, stamped: Stage) -> None:
    assert changed_region(images, stamped.samples) == (slice(11, 14), slice(9, 12))
    assert changed_region(images, images.copy()) is None
