"""From tables with an image and a label column to arrays, with everything checked."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from datasets import Dataset
from datasets import Image as ImageFeature
from PIL import Image, UnidentifiedImageError

from datasets_app.catalog.image_data import (
    DataUnavailable,
    ImageData,
    Labels,
    Pixels,
    check,
    split,
)
from datasets_app.catalog.spec import DatasetSpec, HubSource

BATCH = 1_000


def decode(
    spec: DatasetSpec, source: HubSource, splits: Mapping[str, Dataset], place: str
) -> ImageData:
    """Decode the splits that `source` names; raise DataUnavailable if they do not fit `spec`."""
    images, labels = _split(spec, source, splits, source.train_split, place)
    if source.test_split is None:
        return check(spec, split(images, labels), place)
    test_images, test_labels = _split(spec, source, splits, source.test_split, place)
    return check(spec, ImageData(images, labels, test_images, test_labels), place)


def _split(
    spec: DatasetSpec, source: HubSource, splits: Mapping[str, Dataset], name: str, place: str
) -> tuple[Pixels, Labels]:
    if name not in splits:
        found = ", ".join(splits) or "none"
        raise DataUnavailable(f"{spec.keyword}: {place} has no split {name}; it has {found}")
    table = splits[name]
    where = f"split {name} of {place}"
    for column in (spec.image_column, spec.label_column):
        if column not in table.column_names:
            raise DataUnavailable(
                f"{spec.keyword}: {where} has no column {column!r}; "
                f"it has {', '.join(table.column_names)}"
            )
    labels = _labels(spec, table, where)
    if source.keeps_first_classes:
        kept = np.flatnonzero(labels < spec.num_classes)
        table, labels = table.select(kept), labels[kept]
    return _images(spec, table, where), labels


def _labels(spec: DatasetSpec, table: Dataset, where: str) -> Labels:
    values = table.with_format("numpy")[spec.label_column][:]
    labels = np.asarray(values)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataUnavailable(
            f"{spec.keyword}: column {spec.label_column!r} in {where} holds "
            f"{table.features[spec.label_column]}, not one whole number a sample"
        )
    return labels.astype(np.int64)


def _images(spec: DatasetSpec, table: Dataset, where: str) -> Pixels:
    images = np.empty((len(table), *spec.shape), dtype=np.uint8)
    filled = 0
    for batch in _image_column(spec, table, where).iter(BATCH):
        for image in batch[spec.image_column]:
            images[filled] = _pixels(spec, image, f"sample {filled} in {where}")
            filled += 1
    return images


def _image_column(spec: DatasetSpec, table: Dataset, where: str) -> Dataset:
    column = table.select_columns([spec.image_column])
    try:
        return column.cast_column(spec.image_column, ImageFeature(decode=False))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise DataUnavailable(
            f"{spec.keyword}: column {spec.image_column!r} in {where} holds "
            f"{table.features[spec.image_column]}, not images"
        ) from error


def _pixels(spec: DatasetSpec, encoded: Any, where: str) -> Pixels:
    """Decode one image to (channels, height, width), grey or RGB as the spec has it."""
    channels, height, width = spec.shape
    try:
        with Image.open(BytesIO(encoded["bytes"]) if encoded["bytes"] else encoded["path"]) as file:
            image = file.convert("L" if channels == 1 else "RGB")
    except (UnidentifiedImageError, OSError, TypeError, AttributeError) as error:
        raise DataUnavailable(f"{spec.keyword}: {where} is no readable image") from error
    if image.size != (width, height):
        raise DataUnavailable(
            f"{spec.keyword}: {where} has {image.size[0]}x{image.size[1]} pixels, "
            f"expected {width}x{height}"
        )
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels).transpose(2, 0, 1)
