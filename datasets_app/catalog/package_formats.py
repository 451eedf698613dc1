"""How the files inside packages hold samples, each a function from paths to data."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_app.catalog import image_data
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.labels import Labels
from datasets_app.catalog.spec import DatasetSpec
from datasets_app.catalog.text_data import TextData, Texts

LONGEST_TEXT = 10_000_000
HEADER_ROWS = 3
IDX_BYTES = 8
"""The code of unsigned bytes in the third byte of an IDX file."""


def csv_pixels(spec: DatasetSpec, members: Mapping[str, Path], *, max_value: int) -> ImageData:
    """Read one gzipped CSV file, one sample a line: pixels 0 to `max_value`, then the label.

    Pixels are stretched to 0 to 255; every fifth sample of each class is held out.
    """
    (path,) = members.values()
    with gzip.open(path, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64, ndmin=2)
    pixels = (table[:, :-1] * 255 + max_value // 2) // max_value
    return image_data.split(pixels.astype(np.uint8).reshape(-1, *spec.shape), table[:, -1].copy())


def idx(spec: DatasetSpec, members: Mapping[str, Path]) -> ImageData:
    """Read four gzipped IDX files (LeCun's format), images and labels of training and test set.

    The members come in this order: training images, training labels, test images, test labels.
    """
    arrays = [_idx(gzip.decompress(path.read_bytes())) for path in members.values()]
    train_images, train_labels, test_images, test_labels = arrays
    return ImageData(
        train_images.reshape(-1, *spec.shape),
        train_labels.astype(np.int64),
        test_images.reshape(-1, *spec.shape),
        test_labels.astype(np.int64),
    )


def tab(spec: DatasetSpec, members: Mapping[str, Path]) -> TextData:
    """Read two tab-separated files of Orange, training and test: class name, then text.

    Three header rows come first; rows without a text are left out.
    """
    train, test = [_tab(spec, path) for path in members.values()]
    return TextData(train[0], train[1], test[0], test[1])


def _idx(content: bytes) -> NDArray[np.uint8]:
    zeros, kind, dimensions = content[:2], content[2], content[3]
    start = 4 + 4 * dimensions
    shape = np.frombuffer(content[4:start], dtype=">u4").astype(int)
    if zeros != b"\0\0" or kind != IDX_BYTES or len(content) != start + int(np.prod(shape)):
        raise DataUnavailable("a member of the package is no IDX file of bytes")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _tab(spec: DatasetSpec, path: Path) -> tuple[Texts, Labels]:
    import pyarrow as pa

    csv.field_size_limit(LONGEST_TEXT)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[HEADER_ROWS:]
    kept = [(row[0], row[1]) for row in rows if len(row) > 1 and row[1].strip()]
    numbers = {name: number for number, name in enumerate(spec.class_names)}
    unknown = {name for name, _ in kept} - numbers.keys()
    if unknown:
        raise DataUnavailable(f"{spec.keyword}: {sorted(unknown)[0]!r} is none of its classes")
    labels = np.array([numbers[name] for name, _ in kept], dtype=np.int64)
    return pa.chunked_array([[text for _, text in kept]], type=pa.large_string()), labels
