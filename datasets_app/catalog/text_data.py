"""Texts, which stay in Arrow's memory, and how a test set is held out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from datasets_app.catalog.image_data import (
    DataUnavailable,
    Ids,
    ImageData,
    Labels,
    class_names,
    held_out_samples,
    label_problem,
)
from datasets_app.catalog.spec import DatasetSpec

if TYPE_CHECKING:
    import pyarrow as pa

Texts: TypeAlias = "pa.ChunkedArray"


@dataclass(frozen=True)
class TextData:
    """A dataset of texts: an Arrow column of strings and one label a text, for each split.

    `train_texts.to_pylist()` gives strings, `train_texts.slice(first, size)` a view. A dataset
    without labels has label 0 throughout and no `class_names`. `train_ids` tells whose each
    training text is, where the dataset says so.
    """

    train_texts: Texts
    train_labels: Labels
    test_texts: Texts
    test_labels: Labels
    train_ids: Ids | None = None
    class_names: tuple[str, ...] = ()


Data: TypeAlias = ImageData | TextData


def split(texts: Texts, labels: Labels, ids: Ids | None = None) -> TextData:
    """Hold out every fifth sample of each class for testing; the order of samples stays."""
    held_out = held_out_samples(labels)
    return TextData(
        texts.filter(_mask(~held_out)),
        labels[~held_out],
        texts.filter(_mask(held_out)),
        labels[held_out],
        None if ids is None else ids[~held_out],
    )


def complete(spec: DatasetSpec, data: TextData) -> DatasetSpec:
    """Return the spec with what was found in the data, where it did not know it before."""
    if not spec.is_detected:
        return spec
    return replace(spec, num_classes=len(data.class_names), class_names=())


def check(spec: DatasetSpec, data: TextData, place: str) -> TextData:
    """Return `data` if it is what `spec` describes; raise DataUnavailable naming `place` if not."""
    spec = complete(spec, data)
    for split_name, texts, labels in (
        ("train", data.train_texts, data.train_labels),
        ("test", data.test_texts, data.test_labels),
    ):
        problem = _problem(spec, texts, labels)
        if problem:
            raise DataUnavailable(f"{spec.keyword}: split {split_name} of {place} {problem}")
    if data.train_ids is not None and data.train_ids.shape != data.train_labels.shape:
        raise DataUnavailable(f"{spec.keyword}: {place} has not one natural id a training sample")
    return data if data.class_names else replace(data, class_names=class_names(spec))


def _problem(spec: DatasetSpec, texts: Texts, labels: Labels) -> str | None:
    import pyarrow as pa

    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return f"has {texts.type} where texts are expected"
    if labels.dtype != np.int64 or labels.shape != (len(texts),):
        return f"has {len(texts)} texts and labels {labels.dtype} {labels.shape}"
    if texts.null_count:
        return f"has {texts.null_count} samples without a text"
    return label_problem(spec, labels)


def _mask(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pa.Array:
    import pyarrow as pa

    return pa.array(chosen)
