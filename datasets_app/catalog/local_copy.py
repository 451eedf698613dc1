"""Copies of hub datasets that people put into the data folder themselves."""

from __future__ import annotations

import tempfile
from pathlib import Path

from datasets_app.catalog.availability import is_saved
from datasets_app.catalog.image_data import DataUnavailable, ImageData
from datasets_app.catalog.spec import DatasetSpec, HubSource


def read(spec: DatasetSpec, source: HubSource, folder: Path) -> ImageData:
    """Read the copy in `folder`; raise DataUnavailable if it is incomplete or does not fit."""
    place = f"INTELLIFL_DATA_DIR/{spec.keyword}"
    if is_saved(folder):
        return _read_saved(spec, source, folder, place)
    return _read_parquet(spec, source, folder, place)


def _read_saved(spec: DatasetSpec, source: HubSource, folder: Path, place: str) -> ImageData:
    from datasets import Dataset, load_from_disk

    from datasets_app.catalog.decoding import decode

    try:
        saved = load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise DataUnavailable(f"{spec.keyword}: {place} cannot be read ({error})") from error
    splits = {source.train_split: saved} if isinstance(saved, Dataset) else saved
    return decode(spec, source, splits, place)


def _read_parquet(spec: DatasetSpec, source: HubSource, folder: Path, place: str) -> ImageData:
    from datasets import Dataset
    from datasets.exceptions import DatasetGenerationError

    from datasets_app.catalog.decoding import decode

    names = [source.train_split, *([source.test_split] if source.test_split else [])]
    files = {name: sorted(str(file) for file in folder.glob(f"{name}*.parquet")) for name in names}
    with tempfile.TemporaryDirectory() as cache:
        try:
            splits = {
                name: Dataset.from_parquet(found, cache_dir=cache)
                for name, found in files.items()
                if found
            }
        except (DatasetGenerationError, OSError, ValueError) as error:
            reason = error.__cause__ or error
            raise DataUnavailable(f"{spec.keyword}: {place} cannot be read ({reason})") from error
        return decode(spec, source, splits, place)
