"""Pictures in the columns of tables: encoded files or nested numbers, as arrays of bytes.

The rule for data whose size nobody stated: pictures that all have one size of at most KEPT_SIDE
pixels keep it; all others are scaled until they cover SIDE x SIDE pixels and cut around their
centre. They are grey if all of them are, else RGB.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from datasets import Array2D, Array3D, Dataset, Image, List, Value
from PIL import Image as PIL
from PIL import ImageOps, UnidentifiedImageError

from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import Pixels
from datasets_app.catalog.spec import DatasetSpec

BATCH = 1_000
KEPT_SIDE, SIDE = 96, 64
GREY_MODES = frozenset({"1", "L", "LA", "La"})
DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
UNREADABLE = (
    UnidentifiedImageError,
    OSError,
    TypeError,
    AttributeError,
    PIL.DecompressionBombError,
)


def is_array(feature: Any) -> bool:
    """Tell whether a column holds nested numbers of two or three dimensions."""
    if isinstance(feature, Array2D | Array3D):
        return True
    depth = 0
    while isinstance(feature, List):
        feature, depth = feature.feature, depth + 1
    return depth in (2, 3) and isinstance(feature, Value) and feature.dtype != "string"


def is_encoded(feature: Any) -> bool:
    """Tell whether a column holds pictures as files, as `datasets` or a parquet file has them."""
    return isinstance(feature, Image) or (isinstance(feature, dict) and "bytes" in feature)


def common_shape(
    tables: list[Dataset], column: str, keyword: str, place: str
) -> tuple[int, int, int]:
    """Return (channels, height, width) that the pictures get by this module's rule."""
    sizes, is_grey = set[tuple[int, int]](), True
    for table in tables:
        for number, picture in enumerate(_raw(table, column, keyword, place)):
            size, grey = _measure(picture, f"{keyword}: sample {number} of {place}")
            sizes.add(size)
            is_grey = is_grey and grey
    is_array_column = is_array(tables[0].features[column])
    if is_array_column and len(sizes) > 1:
        found = ", ".join(f"{width}x{height}" for width, height in sorted(sizes)[:3])
        raise DataUnavailable(
            f"{keyword}: column {column!r} of {place} holds arrays of different sizes ({found}); "
            "give all of them one size, or store them as images, which are resized"
        )
    width, height = sizes.pop() if len(sizes) == 1 else (SIDE, SIDE)
    if max(width, height) > KEPT_SIDE and not is_array_column:
        width, height = SIDE, SIDE
    return (1 if is_grey else 3, height, width)


def decode(spec: DatasetSpec, table: Dataset, where: str) -> Pixels:
    """Return the pictures (samples, *spec.shape); raise DataUnavailable for an unfit one."""
    images = np.empty((len(table), *spec.shape), dtype=np.uint8)
    for number, picture in enumerate(_raw(table, spec.image_column, spec.keyword, where)):
        sample = f"{spec.keyword}: sample {number} in {where}"
        if isinstance(picture, np.ndarray):
            images[number] = _of_array(spec, picture, sample)
        else:
            images[number] = _of_file(spec, picture, sample)
    return images


def _raw(table: Dataset, column: str, keyword: str, where: str) -> Iterator[Any]:
    """Give each picture as it is stored: an array, or a dictionary with `bytes` or `path`."""
    if column not in table.column_names:
        raise DataUnavailable(
            f"{keyword}: {where} has no column {column!r}; it has {', '.join(table.column_names)}"
        )
    chosen = table.select_columns([column])
    if is_array(table.features[column]):
        chosen = chosen.with_format("numpy")
    else:
        chosen = _encoded(chosen, column, keyword, where)
    for batch in chosen.iter(BATCH):
        yield from batch[column]


def _encoded(table: Dataset, column: str, keyword: str, where: str) -> Dataset:
    try:
        return table.cast_column(column, Image(decode=False))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise DataUnavailable(
            f"{keyword}: column {column!r} in {where} holds {table.features[column]}, not images"
        ) from error


def _measure(picture: Any, sample: str) -> tuple[tuple[int, int], bool]:
    """Return (width, height) and whether the picture is grey, by its header alone."""
    if isinstance(picture, np.ndarray):
        channels, height, width = _channels_first(picture, sample).shape
        return (width, height), channels == 1
    with _opened(picture, sample) as image:
        return image.size, image.mode in GREY_MODES


def _opened(picture: Any, sample: str) -> PIL.Image:
    try:
        image = PIL.open(BytesIO(picture["bytes"]) if picture["bytes"] else picture["path"])
    except UNREADABLE as error:
        raise DataUnavailable(f"{sample} is no readable image") from error
    if image.mode in DEEP_MODES:
        image.close()
        raise DataUnavailable(
            f"{sample} has more than 8 bits a pixel (mode {image.mode}); convert it to 8 bits"
        )
    return image


def _of_file(spec: DatasetSpec, picture: Any, sample: str) -> Pixels:
    """Decode one picture to (channels, height, width), grey or RGB as the spec has it."""
    channels, height, width = spec.shape
    with _opened(picture, sample) as opened:
        try:
            image = opened.convert("L" if channels == 1 else "RGB")
        except UNREADABLE as error:
            raise DataUnavailable(f"{sample} is no readable image") from error
    if image.size != (width, height):
        if not spec.is_detected:
            raise DataUnavailable(
                f"{sample} has {image.size[0]}x{image.size[1]} pixels, expected {width}x{height}"
            )
        image = ImageOps.fit(image, (width, height), PIL.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def _of_array(spec: DatasetSpec, picture: Any, sample: str) -> Pixels:
    array = _channels_first(picture, sample)
    if array.shape[0] == 1 and spec.shape[0] == 3:
        array = np.repeat(array, 3, axis=0)
    if array.shape != spec.shape:
        raise DataUnavailable(
            f"{sample} has the shape {array.shape}, expected {spec.shape} (channels, height, width)"
        )
    return array


def _channels_first(picture: Any, sample: str) -> Pixels:
    """Return an array of bytes (1 or 3, height, width)."""
    array = np.asarray(picture)
    is_whole = np.issubdtype(array.dtype, np.integer) or array.dtype == bool
    if not is_whole or (array.size and (array.min() < 0 or array.max() > 255)):
        raise DataUnavailable(
            f"{sample} holds {array.dtype} values, not whole numbers from 0 to 255; convert them"
        )
    if array.ndim == 2:
        array = array[None]
    elif array.ndim == 3 and array.shape[2] in (1, 3) and array.shape[0] not in (1, 3):
        array = array.transpose(2, 0, 1)
    if array.ndim != 3 or array.shape[0] not in (1, 3):
        raise DataUnavailable(
            f"{sample} has the shape {array.shape}, not (height, width), with 1 or 3 channels "
            "before or after"
        )
    return array.astype(np.uint8)
