"""Arrays that someone put into the data folder, as the .npz files of MedMNIST and Keras are."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from datasets_app.catalog import image_data
from datasets_app.catalog.checks import check
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData, Pixels
from datasets_app.catalog.labels import Ids, Labels
from datasets_app.catalog.spec import DatasetSpec

NAMES = (("train_images", "train_labels"), ("x_train", "y_train"))
TEST_NAMES = (("test_images", "test_labels"), ("x_test", "y_test"))
IDS = "train_ids"


def read(spec: DatasetSpec, path: Path, place: str) -> ImageData:
    """Read images (n, height, width) with channels before or after, and labels (n,) or (n, 1).

    Without a test set every fifth sample of each class is held out. Raises DataUnavailable.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            train = _pair(spec, file, NAMES, place)
            test = _pair(spec, file, TEST_NAMES, place)
            ids: Ids | None = file[IDS].astype(np.str_) if IDS in file else None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        hint = ""
        if "allow_pickle" in str(error):
            hint = "; arrays of objects, such as images of different sizes, are not read"
        raise DataUnavailable(f"{spec.keyword}: {place} cannot be read ({error}){hint}") from error
    if train is None:
        raise DataUnavailable(
            f"{spec.keyword}: {place} has no train_images and train_labels, nor x_train and y_train"
        )
    data = image_data.split(*train, ids) if test is None else ImageData(*train, *test, ids)
    names = spec.class_names
    if spec.is_detected:
        last = max(int(data.train_labels.max()), int(data.test_labels.max()))
        names = tuple(str(label) for label in range(last + 1))
    return check(spec, ImageData(**{**vars(data), "class_names": names}), place)


def _pair(
    spec: DatasetSpec, file: NpzFile, names: tuple[tuple[str, str], ...], place: str
) -> tuple[Pixels, Labels] | None:
    for images, labels in names:
        if images in file and labels in file:
            pixels = _images(spec, file[images], f"{images} of {place}")
            classes = _labels(spec, file[labels], f"{labels} of {place}")
            if len(pixels) != len(classes):
                raise DataUnavailable(
                    f"{spec.keyword}: {place} has {len(pixels)} {images}, but {len(classes)} "
                    f"{labels}"
                )
            return pixels, classes
    return None


def _images(spec: DatasetSpec, array: NDArray[np.generic], place: str) -> Pixels:
    if not np.issubdtype(array.dtype, np.integer) or (
        array.size and (array.min() < 0 or array.max() > 255)
    ):
        raise DataUnavailable(
            f"{spec.keyword}: {place} holds {array.dtype} values, not whole numbers from 0 to 255"
        )
    pixels = array.astype(np.uint8, copy=False)
    if pixels.ndim == 3:
        return pixels[:, None]
    is_last = pixels.ndim == 4 and pixels.shape[3] in (1, 3) and pixels.shape[1] not in (1, 3)
    if pixels.ndim != 4 or not (is_last or pixels.shape[1] in (1, 3)):
        raise DataUnavailable(
            f"{spec.keyword}: {place} has the shape {pixels.shape}, not (samples, height, width) "
            "with 1 or 3 channels before or after"
        )
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)) if is_last else pixels


def _labels(spec: DatasetSpec, array: NDArray[np.generic], place: str) -> Labels:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise DataUnavailable(
            f"{spec.keyword}: {place} holds {array.dtype} {array.shape}, not one class a sample"
        )
    return array.astype(np.int64)
