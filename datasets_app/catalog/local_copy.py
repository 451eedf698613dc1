"""Copies of datasets that people put into the data folder themselves, in the usual formats."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from datasets_app.catalog import array_files, availability
from datasets_app.catalog.availability import PICTURES, TABLES
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.spec import DatasetSpec
from datasets_app.catalog.text_data import Data

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
}
FORMATS = (
    "parquet, CSV or JSON-lines files named by split (train*.parquet, test*.parquet), what "
    "`save_to_disk` wrote, pictures in train/<class>/ and test/<class>/ or in <class>/, or an "
    ".npz file with train_images and train_labels"
)


def read(spec: DatasetSpec, folder: Path) -> Data:
    """Read the copy in `folder`; raise DataUnavailable if it is incomplete or does not fit."""
    place = f"INTELLIFL_DATA_DIR/{spec.keyword}"
    file = availability.arrays(folder)
    if file is not None and spec.modality == "image":
        return array_files.read(spec, file, f"{place}/{file.name}")
    from datasets_app.catalog.decoding import decode

    with tables(spec.keyword, folder) as splits:
        return decode(spec, splits, place)


@contextmanager
def tables(keyword: str, folder: Path) -> Iterator[Mapping[str, Dataset]]:
    """Give the splits of the copy in `folder`, whatever its format; raise DataUnavailable."""
    from datasets.exceptions import DatasetGenerationError

    with tempfile.TemporaryDirectory() as cache:
        try:
            splits = _tables(folder, cache)
        except (DatasetGenerationError, OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error.__cause__ or error).replace(str(folder.parent), "INTELLIFL_DATA_DIR")
            raise DataUnavailable(
                f"{keyword}: INTELLIFL_DATA_DIR/{keyword} cannot be read ({reason[:300]})"
            ) from error
        yield splits


def ways(spec: DatasetSpec) -> str:
    """Tell how to get data that cannot be fetched, as the end of an error's sentence."""
    return f"Put it into INTELLIFL_DATA_DIR/{spec.keyword}/: {FORMATS}."


def _tables(folder: Path, cache: str) -> Mapping[str, Dataset]:
    if availability.is_saved(folder):
        return _saved(folder)
    for suffix in TABLES:
        files = availability.tables(folder, suffix)
        if files:
            return _of_files(files, suffix, cache)
    return _pictures(folder)


def _saved(folder: Path) -> Mapping[str, Dataset]:
    from datasets import Dataset, load_from_disk

    saved = load_from_disk(str(folder))
    return {"train": saved} if isinstance(saved, Dataset) else saved


def _of_files(files: list[Path], suffix: str, cache: str) -> Mapping[str, Dataset]:
    from datasets import Dataset

    read: Mapping[str, Callable[[list[str]], Dataset]] = {
        ".parquet": lambda paths: Dataset.from_parquet(paths, cache_dir=cache),
        ".jsonl": lambda paths: Dataset.from_json(paths, cache_dir=cache),
        ".csv": _of_csv,
    }
    by_split: dict[str, list[str]] = {}
    for file in files:
        by_split.setdefault(_split_of(file.name, len(files)), []).append(str(file))
    return {name: read[suffix](paths) for name, paths in by_split.items()}


def _of_csv(paths: list[str]) -> Dataset:
    """Read CSV files with a header; texts such as "NA" and "null" are texts."""
    import pyarrow as pa
    from datasets import Dataset
    from pyarrow import csv

    lines = csv.ParseOptions(newlines_in_values=True)
    return Dataset(pa.concat_tables([csv.read_csv(path, parse_options=lines) for path in paths]))


def _split_of(name: str, num_files: int) -> str:
    """Return the split that a file is named by; a file alone is the training split."""
    usual = sorted(SPLITS, key=len, reverse=True)
    found = next((split for split in usual if name.lower().startswith(split)), None)
    if found is not None:
        return SPLITS[found]
    return "train" if num_files == 1 else name.split("-")[0].split(".")[0]


def _pictures(folder: Path) -> Mapping[str, Dataset]:
    """Read pictures in class folders, which may lie in folders of splits."""
    from datasets import ClassLabel, Dataset, Features, Image

    by_split = _class_folders(folder)
    names = sorted({path.parent.name for paths in by_split.values() for path in paths})
    features = Features({"image": Image(), "label": ClassLabel(names=names)})
    splits = {}
    for split, paths in by_split.items():
        labels = [names.index(path.parent.name) for path in paths]
        columns = {"image": [str(path) for path in paths], "label": labels}
        splits[split] = Dataset.from_dict(columns, features=features)
    return splits


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    splits: dict[str, list[Path]] = {}
    for child in sorted(path for path in folder.iterdir() if path.is_dir()):
        split = SPLITS.get(child.name.lower())
        if split is not None and _images_in(child, "*/*"):
            splits.setdefault(split, []).extend(_images_in(child, "*/*"))
    return splits or {"train": _images_in(folder, "*/*")}


def _images_in(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.suffix.lower() in PICTURES)
