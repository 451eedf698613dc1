"""Images in memory, and how a test set is held out of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_app.catalog.spec import DatasetSpec

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
HELD_OUT_EVERY = 5


class DataUnavailable(Exception):
    """The data cannot be had or used; the sentence says why and how to get it."""


@dataclass(frozen=True)
class ImageData:
    """A dataset in memory: images (samples, channels, height, width) from 0 to 255, labels."""

    train_images: Pixels
    train_labels: Labels
    test_images: Pixels
    test_labels: Labels


def split(images: Pixels, labels: Labels) -> ImageData:
    """Hold out every fifth sample of each class for testing; the order of samples stays."""
    held_out = held_out_samples(labels)
    return ImageData(images[~held_out], labels[~held_out], images[held_out], labels[held_out])


def held_out_samples(labels: Labels) -> NDArray[np.bool_]:
    """Tell for each sample whether it is the fifth, tenth, ... of its class."""
    order = np.argsort(labels, kind="stable")
    by_class = labels[order]
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels)) - np.searchsorted(by_class, by_class)
    held_out: NDArray[np.bool_] = place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return held_out


def check(spec: DatasetSpec, data: ImageData, place: str) -> ImageData:
    """Return `data` if it is what `spec` describes; raise DataUnavailable naming `place` if not."""
    for split_name, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        problem = _problem(spec, images, labels)
        if problem:
            raise DataUnavailable(f"{spec.keyword}: split {split_name} of {place} {problem}")
    return data


def _problem(spec: DatasetSpec, images: Pixels, labels: Labels) -> str | None:
    if images.dtype != np.uint8 or labels.dtype != np.int64:
        return f"has {images.dtype} images and {labels.dtype} labels, not uint8 and int64"
    if images.shape != (len(labels), *spec.shape) or labels.ndim != 1:
        return f"has images {images.shape} and labels {labels.shape}, expected (n, *{spec.shape})"
    if not len(labels):
        return "is empty"
    if labels.min() < 0 or labels.max() >= spec.num_classes:
        return (
            f"has labels from {labels.min()} to {labels.max()}, "
            f"allowed are 0 to {spec.num_classes - 1}"
        )
    return None
