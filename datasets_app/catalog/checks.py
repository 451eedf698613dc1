"""Whether data is what its spec describes, and what only the data tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import Pixels
from datasets_app.catalog.labels import Labels
from datasets_app.catalog.spec import DatasetSpec
from datasets_app.catalog.text_data import Data, TextData, Texts

AnyData = TypeVar("AnyData", bound=Data)


def complete(spec: DatasetSpec, data: Data) -> DatasetSpec:
    """Return the spec with what was found in the data, where it did not know it before."""
    if not spec.is_detected:
        return spec
    num_classes = len(data.class_names)
    if isinstance(data, TextData):
        return replace(spec, num_classes=num_classes, class_names=())
    shape = tuple(int(side) for side in data.train_images.shape[1:])
    return replace(spec, shape=shape, num_classes=num_classes, class_names=())


def check(spec: DatasetSpec, data: AnyData, place: str) -> AnyData:
    """Return `data` if it is what `spec` describes; raise DataUnavailable naming `place` if not."""
    spec = complete(spec, data)
    for split_name, problem in _problems(spec, data).items():
        if problem:
            raise DataUnavailable(f"{spec.keyword}: split {split_name} of {place} {problem}")
    if data.train_ids is not None and data.train_ids.shape != data.train_labels.shape:
        raise DataUnavailable(f"{spec.keyword}: {place} has not one natural id a training sample")
    return data if data.class_names else replace(data, class_names=class_names(spec))


def class_names(spec: DatasetSpec) -> tuple[str, ...]:
    """Return the names of the classes, their numbers where the dataset has no names for them."""
    return spec.class_names or tuple(str(label) for label in range(spec.num_classes))


def _problems(spec: DatasetSpec, data: Data) -> dict[str, str | None]:
    """Return what is wrong with each split, if anything."""
    if isinstance(data, TextData):
        return {
            "train": _problem_of_texts(spec, data.train_texts, data.train_labels),
            "test": _problem_of_texts(spec, data.test_texts, data.test_labels),
        }
    return {
        "train": _problem_of_images(spec, data.train_images, data.train_labels),
        "test": _problem_of_images(spec, data.test_images, data.test_labels),
    }


def _problem_of_images(spec: DatasetSpec, images: Pixels, labels: Labels) -> str | None:
    if images.dtype != np.uint8 or labels.dtype != np.int64:
        return f"has {images.dtype} images and {labels.dtype} labels, not uint8 and int64"
    if images.shape != (len(labels), *spec.shape) or labels.ndim != 1:
        return f"has images {images.shape} and labels {labels.shape}, expected (n, *{spec.shape})"
    return _problem_of_labels(spec, labels)


def _problem_of_texts(spec: DatasetSpec, texts: Texts, labels: Labels) -> str | None:
    import pyarrow as pa

    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return f"has {texts.type} where texts are expected"
    if labels.dtype != np.int64 or labels.shape != (len(texts),):
        return f"has {len(texts)} texts and labels {labels.dtype} {labels.shape}"
    if texts.null_count:
        return f"has {texts.null_count} samples without a text"
    return _problem_of_labels(spec, labels)


def _problem_of_labels(spec: DatasetSpec, labels: Labels) -> str | None:
    if not len(labels):
        return "is empty (a test split that is not given is every fifth sample of each class)"
    last = max(spec.num_classes - 1, 0)
    if labels.min() < 0 or labels.max() > last:
        return f"has labels from {labels.min()} to {labels.max()}, allowed are 0 to {last}"
    return None
