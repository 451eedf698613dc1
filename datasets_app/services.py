"""What may be asked for: to fetch a dataset, or to check one that is here."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from datasets_app import dispatch
from datasets_app.catalog import CATALOG
from datasets_app.models import Dataset, State

SILENT_S = 30.0
"""A fetch that has given no sign of life for so long is over."""
WAITS_S = 600.0
"""So long a fetch may wait for a worker before it may be asked for again."""


class UnknownDataset(Exception):
    """No dataset of the catalogue has this keyword."""


def sync() -> None:
    """Have one row for each dataset of the catalogue, and none for others."""
    Dataset.objects.exclude(keyword__in=CATALOG).delete()
    there = set(Dataset.objects.values_list("keyword", flat=True))
    rows = [Dataset(keyword=keyword) for keyword in CATALOG if keyword not in there]
    Dataset.objects.bulk_create(rows, ignore_conflicts=True)


def request(keyword: str) -> bool:
    """Have a dataset fetched, or checked if it is here; False if that is under way already.

    Raises UnknownDataset.
    """
    if keyword not in CATALOG:
        raise UnknownDataset(f"there is no dataset {keyword[:100]!r}")
    Dataset.objects.get_or_create(keyword=keyword)
    now = timezone.now()
    taken = (
        Dataset.objects.filter(keyword=keyword)
        .exclude(under_way())
        .update(state=State.QUEUED, heard_at=now, error="", done_bytes=0, total_bytes=0)
    )
    if taken:
        transaction.on_commit(partial(dispatch.start, keyword))
    return bool(taken)


def under_way() -> Q:
    """Select the datasets that are being fetched, or wait for it, and gave a sign of life."""
    now = timezone.now()
    fetching = Q(state=State.FETCHING, heard_at__gte=now - timedelta(seconds=SILENT_S))
    return fetching | Q(state=State.QUEUED, heard_at__gte=now - timedelta(seconds=WAITS_S))


def is_under_way(row: Dataset) -> bool:
    """Tell of one row what `under_way` selects."""
    limit_s = {State.QUEUED: WAITS_S, State.FETCHING: SILENT_S}.get(State(row.state))
    if limit_s is None or row.heard_at is None:
        return False
    return row.heard_at >= timezone.now() - timedelta(seconds=limit_s)
