"""What readers show of datasets: the catalogue, what is on disk, and how the last fetch went."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from datasets_app.catalog import CATALOG
from datasets_app.catalog.availability import size_bytes, where
from datasets_app.catalog.reference import download_bytes, origin, sample_kind
from datasets_app.catalog.spec import DatasetSpec, HubSource, PackageSource
from datasets_app.models import Dataset, State
from datasets_app.services import is_under_way

INTERRUPTED = "the last fetch was interrupted"


@dataclass(frozen=True)
class Listed:
    """A dataset as it is shown; `state` is here, absent, queued, fetching or failed."""

    spec: DatasetSpec
    state: str
    place: str
    error: str
    row: Dataset

    @property
    def percent(self) -> int | None:
        """How far a fetch is, None if nobody knows."""
        if self.state != State.FETCHING or not self.row.total_bytes:
            return None
        return 100 * self.row.done_bytes // self.row.total_bytes

    @property
    def samples(self) -> str:
        return sample_kind(self.spec)

    @property
    def origin(self) -> str:
        return origin(self.spec)

    @property
    def size_bytes(self) -> int:
        """What the dataset's folder takes on disk."""
        return size_bytes(self.spec.keyword, settings.DATA_DIR)

    @property
    def num_train(self) -> int | None:
        return self.spec.num_train or self.row.num_train

    @property
    def num_test(self) -> int | None:
        return self.spec.num_test or self.row.num_test

    @property
    def download_bytes(self) -> int | None:
        return download_bytes(self.spec)

    @property
    def can_fetch(self) -> bool:
        is_busy = self.state in (State.QUEUED, State.FETCHING)
        return not is_busy and (self.state == "here" or is_fetchable(self.spec))


def listing() -> list[Listed]:
    """Return every dataset of the catalogue, in its order."""
    rows = {row.keyword: row for row in Dataset.objects.all()}
    return [_listed(spec, rows.get(keyword)) for keyword, spec in CATALOG.items()]


def is_fetchable(spec: DatasetSpec) -> bool:
    return isinstance(spec.source, PackageSource | HubSource)


def _listed(spec: DatasetSpec, found: Dataset | None) -> Listed:
    row = found or Dataset(keyword=spec.keyword)
    place = where(spec, settings.DATA_DIR)
    if is_under_way(row):
        return Listed(spec, row.state, place or "", "", row)
    error = row.error if row.state == State.FAILED else ""
    if row.state in (State.QUEUED, State.FETCHING):
        error = INTERRUPTED
    if place is not None and not error:
        return Listed(spec, "here", place, "", row)
    return Listed(spec, "failed" if error else "absent", place or "", error, row)
