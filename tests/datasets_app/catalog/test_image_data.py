from __future__ import annotations

import numpy as np
import pytest

from datasets_app.catalog import CATALOG
from datasets_app.catalog.checks import check
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData, split
from datasets_app.catalog.labels import held_out_samples


def test_every_fifth_sample_of_each_class_is_held_out() -> None:
    labels = np.random.default_rng(1).integers(0, 4, size=103)
    expected = []
    seen: dict[int, int] = {}
    for label in labels.tolist():
        seen[label] = seen.get(label, 0) + 1
        expected.append(seen[label] % 5 == 0)
    assert held_out_samples(labels).tolist() == expected


def test_a_split_keeps_images_with_their_labels_and_loses_none() -> None:
    labels = np.array([0, 1] * 10)
    images = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    data = split(images, labels)
    assert data.test_images.ravel().tolist() == [8, 9, 18, 19]
    assert data.test_labels.tolist() == [0, 1, 0, 1]
    kept = data.train_images.ravel().tolist()
    assert sorted([*kept, 8, 9, 18, 19]) == list(range(20))
    assert data.train_labels.tolist() == [sample % 2 for sample in kept]


def images(count: int, shape: tuple[int, ...] = (1, 8, 8)) -> np.ndarray:
    return np.zeros((count, *shape), dtype=np.uint8)


@pytest.mark.parametrize(
    ("test_images", "test_labels", "problem"),
    [
        (images(2), np.array([0, 10]), "labels from 0 to 10, allowed are 0 to 9"),
        (images(2), np.array([-1, 3]), "labels from -1 to 3"),
        (images(2, (1, 9, 8)), np.array([0, 1]), r"expected \(n, \*\(1, 8, 8\)\)"),
        (images(3), np.array([0, 1]), "has images"),
        (images(0), np.array([], dtype=np.int64), "is empty"),
        (images(2).astype(float), np.array([0, 1]), "not uint8 and int64"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    test_images: np.ndarray, test_labels: np.ndarray, problem: str
) -> None:
    data = ImageData(images(1), np.array([0]), test_images, test_labels)
    with pytest.raises(DataUnavailable, match=f"digits: split test of here .*{problem}"):
        check(CATALOG["digits"], data, "here")
