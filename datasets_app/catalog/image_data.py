"""Images in memory, and how a test set is held out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from datasets_app.catalog.spec import DatasetSpec

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
Ids = NDArray[np.str_]
HELD_OUT_EVERY = 5


class DataUnavailable(Exception):
    """The data cannot be had or used; the sentence says why and how to get it."""


@dataclass(frozen=True)
class ImageData:
    """A dataset in memory: images (samples, channels, height, width) from 0 to 255, labels.

    `train_ids` tells whose each training sample is, where the dataset says so. `class_names` has
    one name for each label, from 0 on.
    """

    train_images: Pixels
    train_labels: Labels
    test_images: Pixels
    test_labels: Labels
    train_ids: Ids | None = None
    class_names: tuple[str, ...] = ()


def split(images: Pixels, labels: Labels, ids: Ids | None = None) -> ImageData:
    """Hold out every fifth sample of each class for testing; the order of samples stays."""
    held_out = held_out_samples(labels)
    return ImageData(
        images[~held_out],
        labels[~held_out],
        images[held_out],
        labels[held_out],
        None if ids is None else ids[~held_out],
    )


def held_out_samples(labels: Labels) -> NDArray[np.bool_]:
    """Tell for each sample whether it is the fifth, tenth, ... of its class."""
    order = np.argsort(labels, kind="stable")
    by_class = labels[order]
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels)) - np.searchsorted(by_class, by_class)
    held_out: NDArray[np.bool_] = place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return held_out


def class_names(spec: DatasetSpec) -> tuple[str, ...]:
    """Return the names of the classes, their numbers where the dataset has no names for them."""
    return spec.class_names or tuple(str(label) for label in range(spec.num_classes))


def complete(spec: DatasetSpec, data: ImageData) -> DatasetSpec:
    """Return the spec with what was found in the data, where it did not know it before."""
    if not spec.is_detected:
        return spec
    shape = tuple(int(side) for side in data.train_images.shape[1:])
    return replace(spec, shape=shape, num_classes=len(data.class_names), class_names=())


def check(spec: DatasetSpec, data: ImageData, place: str) -> ImageData:
    """Return `data` if it is what `spec` describes; raise DataUnavailable naming `place` if not."""
    spec = complete(spec, data)
    for split_name, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        problem = _problem(spec, images, labels)
        if problem:
            raise DataUnavailable(f"{spec.keyword}: split {split_name} of {place} {problem}")
    if data.train_ids is not None and data.train_ids.shape != data.train_labels.shape:
        raise DataUnavailable(f"{spec.keyword}: {place} has not one natural id a training sample")
    return data if data.class_names else replace(data, class_names=class_names(spec))


def label_problem(spec: DatasetSpec, labels: Labels) -> str | None:
    """Return what is wrong with the labels of a split, if anything."""
    if not len(labels):
        return "is empty (a test split that is not given is every fifth sample of each class)"
    last = max(spec.num_classes - 1, 0)
    if labels.min() < 0 or labels.max() > last:
        return f"has labels from {labels.min()} to {labels.max()}, allowed are 0 to {last}"
    return None


def _problem(spec: DatasetSpec, images: Pixels, labels: Labels) -> str | None:
    if images.dtype != np.uint8 or labels.dtype != np.int64:
        return f"has {images.dtype} images and {labels.dtype} labels, not uint8 and int64"
    if images.shape != (len(labels), *spec.shape) or labels.ndim != 1:
        return f"has images {images.shape} and labels {labels.shape}, expected (n, *{spec.shape})"
    return label_problem(spec, labels)
