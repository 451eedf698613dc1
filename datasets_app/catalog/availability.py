"""What of a dataset is on this machine; light enough for every process to ask."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from datasets_app.catalog.spec import DatasetSpec, HubSource, PackageSource

STORED, STORED_TEXTS = "data.npz", "data.arrow"
SAVED_DICT = "dataset_dict.json"
SAVED_SPLIT = "state.json"
LOCKS = ".locks"
TABLES = (".parquet", ".csv", ".jsonl")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def is_available(spec: DatasetSpec, data_dir: Path) -> bool:
    """Tell whether loading would need no network."""
    return where(spec, data_dir) is not None


def where(spec: DatasetSpec, data_dir: Path) -> str | None:
    """Return what would be loaded without a network, None if there is nothing."""
    folder = data_dir / spec.keyword
    if not isinstance(spec.source, PackageSource) and has_local_copy(folder):
        return "local copy"
    if is_stored(folder):
        return "fetched"
    if isinstance(spec.source, HubSource) and is_cached(spec.source):
        return "Hugging Face cache"
    return None


def is_stored(folder: Path) -> bool:
    return (folder / STORED).is_file() or (folder / STORED_TEXTS).is_file()


def is_being_fetched(keyword: str, data_dir: Path) -> bool:
    """Tell whether a process on this machine holds the lock of the dataset."""
    try:
        with (data_dir / LOCKS / keyword).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def has_local_copy(folder: Path) -> bool:
    """Tell whether `folder` holds tables, arrays, class folders or what `save_to_disk` wrote."""
    return (
        is_saved(folder)
        or any(tables(folder, suffix) for suffix in TABLES)
        or arrays(folder) is not None
        or has_class_folders(folder)
    )


def is_saved(folder: Path) -> bool:
    return (folder / SAVED_DICT).is_file() or (folder / SAVED_SPLIT).is_file()


def tables(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def arrays(folder: Path) -> Path | None:
    """Return the file of arrays that someone put into `folder`; `data.npz` is what we store."""
    return next((path for path in sorted(folder.glob("*.npz")) if path.name != STORED), None)


def has_class_folders(folder: Path) -> bool:
    """Tell whether pictures lie in `folder/<class>/` or `folder/<split>/<class>/`."""
    return any(
        path.suffix.lower() in PICTURES
        for pattern in ("*/*", "*/*/*")
        for path in folder.glob(pattern)
    )


def size_bytes(keyword: str, data_dir: Path) -> int:
    """Return what the dataset's folder takes on disk."""
    return sum(path.stat().st_size for path in (data_dir / keyword).rglob("*") if path.is_file())


def is_cached(source: HubSource) -> bool:
    """Tell whether the cache of `datasets` holds the dataset, without loading that library."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_DATASETS_CACHE") or home / "datasets")
    folder = cache / source.name.replace("/", "___")
    return any(folder.glob(f"{source.config or '*'}/*/*/dataset_info.json"))
