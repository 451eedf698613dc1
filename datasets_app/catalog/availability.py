"""What of a dataset is on this machine; light enough for every process to ask."""

from __future__ import annotations

import os
from pathlib import Path

from datasets_app.catalog.spec import DatasetSpec, HubSource

STORED = "data.npz"
SAVED_DICT = "dataset_dict.json"
SAVED_SPLIT = "state.json"


def is_available(spec: DatasetSpec, data_dir: Path) -> bool:
    """Tell whether loading would need no network."""
    folder = data_dir / spec.keyword
    if is_stored(folder):
        return True
    return isinstance(spec.source, HubSource) and (has_local_copy(folder) or is_cached(spec.source))


def is_stored(folder: Path) -> bool:
    return (folder / STORED).is_file()


def has_local_copy(folder: Path) -> bool:
    """Tell whether `folder` holds parquet files or is what `save_to_disk` wrote."""
    return is_saved(folder) or any(folder.glob("*.parquet"))


def is_saved(folder: Path) -> bool:
    return (folder / SAVED_DICT).is_file() or (folder / SAVED_SPLIT).is_file()


def is_cached(source: HubSource) -> bool:
    """Tell whether the cache of `datasets` holds the dataset, without loading that library."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_DATASETS_CACHE") or home / "datasets")
    folder = cache / source.name.replace("/", "___")
    return any(folder.glob(f"{source.config or '*'}/*/*/dataset_info.json"))
