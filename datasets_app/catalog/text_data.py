"""Texts, which stay in Arrow's memory, and how a test set is held out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.labels import Ids, Labels, held_out_samples

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


def _mask(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pa.Array:
    import pyarrow as pa

    return pa.array(chosen)
