"""Fetched data on disk: one `data.npz` a dataset, written whole, by one process at a time."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from datasets_app.catalog.availability import STORED
from datasets_app.catalog.image_data import DataUnavailable, ImageData, check
from datasets_app.catalog.spec import DatasetSpec

LOCKS = ".locks"


def read(spec: DatasetSpec, folder: Path) -> ImageData:
    """Read what `write` stored; raise DataUnavailable if it is damaged or of another dataset."""
    place = f"INTELLIFL_DATA_DIR/{spec.keyword}/{STORED}"
    try:
        with (folder / STORED).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            data = ImageData(**{name: arrays[name] for name in _names()})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataUnavailable(
            f"{spec.keyword}: {place} is damaged ({error}); delete it and run "
            f"`manage.py fetch_dataset {spec.keyword}`"
        ) from error
    return check(spec, data, place)


def write(folder: Path, scratch: Path, data: ImageData) -> None:
    """Store `data` in `folder`, by way of a file in `scratch` on the same file system."""
    draft = scratch / STORED
    np.savez(draft, **{name: getattr(data, name) for name in _names()})
    folder.mkdir(exist_ok=True)
    draft.replace(folder / STORED)


@contextmanager
def sole_writer(folder: Path) -> Iterator[Path]:
    """Hold the lock of a dataset's folder; give a scratch folder that is gone afterwards.

    What a killed process left behind is removed first. Raises DataUnavailable when the system
    cannot write there.
    """
    data_dir, prefix = folder.parent, f".fetching-{folder.name}-"
    try:
        (data_dir / LOCKS).mkdir(parents=True, exist_ok=True)
        with (data_dir / LOCKS / folder.name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in data_dir.glob(f"{prefix}*"):
                shutil.rmtree(leftover)
            with tempfile.TemporaryDirectory(prefix=prefix, dir=data_dir) as scratch:
                yield Path(scratch)
    except OSError as error:
        raise DataUnavailable(
            f"cannot store {folder.name} in INTELLIFL_DATA_DIR: {error.strerror or error}"
        ) from error


def _names() -> list[str]:
    return [field.name for field in fields(ImageData)]
