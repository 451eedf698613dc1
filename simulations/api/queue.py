"""How many simulations there are of each status."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from simulations import selectors
from simulations.models import ACTIVE

router = Router(tags=["Queue"])


class QueueStatus(Schema):
    """Counts by status; `is_empty` is true when no simulation waits or runs."""

    queued: int
    pending: int
    running: int
    completed: int
    failed: int
    stopped: int
    total: int
    is_empty: bool


@router.get("/queue/status", response=QueueStatus)
def queue_status(request: HttpRequest) -> dict[str, Any]:
    """Count all simulations by status."""
    counts = selectors.queue_counts()
    return {
        **counts,
        "total": sum(counts.values()),
        "is_empty": not any(counts[status.value] for status in ACTIVE),
    }
