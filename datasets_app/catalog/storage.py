"""Fetched data on disk: one file a dataset, written whole, by one process at a time."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from datasets_app.catalog.availability import LOCKS, STORED, STORED_TEXTS
from datasets_app.catalog.checks import check
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.spec import DatasetSpec
from datasets_app.catalog.text_data import Data, TextData

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


def read(spec: DatasetSpec, folder: Path) -> Data:
    """Read what `write` stored; raise DataUnavailable if it is damaged or of another dataset.

    Texts are not read but mapped into memory.
    """
    is_text = spec.modality == "text"
    name = STORED_TEXTS if is_text else STORED
    place = f"INTELLIFL_DATA_DIR/{spec.keyword}/{name}"
    try:
        if is_text:
            return check(spec, _read_texts(folder / name), place)
        return check(spec, _read_images(folder / name), place)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataUnavailable(
            f"{spec.keyword}: {place} is damaged ({error}); delete it and run "
            f"`manage.py fetch_dataset {spec.keyword}`"
        ) from error


def write(folder: Path, scratch: Path, data: Data) -> None:
    """Store `data` in `folder`, by way of a file in `scratch` on the same file system."""
    if isinstance(data, TextData):
        name = STORED_TEXTS
        _write_texts(scratch / name, data)
    else:
        name = STORED
        np.savez(scratch / name, allow_pickle=False, **_arrays(data))
    folder.mkdir(exist_ok=True)
    (scratch / name).replace(folder / name)


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


def _arrays(data: ImageData) -> dict[str, NDArray[Any]]:
    arrays = {name: getattr(data, name) for name in ARRAYS}
    arrays["class_names"] = np.array(data.class_names, dtype=np.str_)
    if data.train_ids is not None:
        arrays["train_ids"] = data.train_ids
    return arrays


def _read_images(path: Path) -> ImageData:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return ImageData(
            **{name: arrays[name] for name in ARRAYS},
            train_ids=arrays.get("train_ids"),
            class_names=tuple(arrays["class_names"].tolist()) if "class_names" in arrays else (),
        )


def _write_texts(path: Path, data: TextData) -> None:
    import pyarrow as pa

    columns = {
        "text": pa.chunked_array([*data.train_texts.chunks, *data.test_texts.chunks]),
        "label": np.concatenate([data.train_labels, data.test_labels]),
    }
    if data.train_ids is not None:
        none = np.full(len(data.test_labels), "")
        columns["id"] = np.concatenate([data.train_ids, none]).tolist()
    about = {"num_train": str(len(data.train_labels)), "class_names": json.dumps(data.class_names)}
    table = pa.table(columns).replace_schema_metadata(about)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read_texts(path: Path) -> TextData:
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    about = table.schema.metadata or {}
    num_train = int(about[b"num_train"])
    train, test = table.slice(0, num_train), table.slice(num_train)
    return TextData(
        train_texts=train["text"],
        train_labels=train["label"].to_numpy(),
        test_texts=test["text"],
        test_labels=test["label"].to_numpy(),
        train_ids=np.array(train["id"].to_pylist()) if "id" in table.column_names else None,
        class_names=tuple(json.loads(about[b"class_names"])),
    )
