"""Fetches or checks a dataset and records how that goes; never in the web process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from datasets_app.catalog import CATALOG
from datasets_app.catalog.availability import size_bytes, where
from datasets_app.catalog.loading import Data, DataUnavailable, load
from datasets_app.catalog.progress import Report, Step, on_stderr
from datasets_app.models import Dataset, State

logger = logging.getLogger(__name__)
BEAT_S = 5.0
TELL_S = 1.0


def fetch(keyword: str) -> Data:
    """Load the dataset, which fetches it if need be and checks all of it; record the outcome.

    Raises DataUnavailable.
    """
    spec = CATALOG[keyword]
    Dataset.objects.get_or_create(keyword=keyword)
    _record(keyword, state=State.FETCHING, heard_at=timezone.now(), error="")
    try:
        with _beating(keyword):
            data = load(spec, settings.DATA_DIR, _recorded(keyword))
    except DataUnavailable as error:
        _record(keyword, state=State.FAILED, error=str(error))
        raise
    _record(
        keyword,
        state=State.READY,
        place=where(spec, settings.DATA_DIR) or "",
        size_bytes=size_bytes(keyword, settings.DATA_DIR),
        num_train=len(data.train_labels),
        num_test=len(data.test_labels),
        verified_at=timezone.now(),
    )
    return data


def _record(keyword: str, **fields: Any) -> None:
    Dataset.objects.filter(keyword=keyword).update(**fields)


def _recorded(keyword: str) -> Report:
    """Return a report that records and prints progress, not more often than is useful."""
    told_at = float("-inf")
    tell = on_stderr()

    def report(step: Step) -> None:
        nonlocal told_at
        tell(step)
        if time.monotonic() - told_at >= TELL_S:
            told_at = time.monotonic()
            _record(keyword, done_bytes=step.done_bytes, total_bytes=step.total_bytes)

    return report


@contextmanager
def _beating(keyword: str) -> Iterator[None]:
    """Give a sign of life every BEAT_S seconds, however long a step takes."""
    is_over = threading.Event()

    def beat() -> None:
        try:
            while not is_over.wait(BEAT_S):
                _beat(keyword)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _beat(keyword: str) -> None:
    """Record a sign of life; a database that is away for a moment does not end the fetch."""
    try:
        _record(keyword, heard_at=timezone.now())
    except DatabaseError as error:
        logger.warning("%s: the sign of life is put off: %s", keyword, error)
