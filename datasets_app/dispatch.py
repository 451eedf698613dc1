"""Decides who fetches: a housekeeping worker if one listens, else a process of this machine."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

from django.conf import settings
from django.db import DatabaseError, connection

from datasets_app.models import BUSY, Dataset, State
from intellifl import housekeeping

logger = logging.getLogger(__name__)
FETCH = "datasets.fetch"
WATCH = "watch-fetch-"


def start(keyword: str) -> None:
    """Have the dataset fetched by somebody; takes at most some seconds."""
    if housekeeping.send_if_heard(settings.ENVIRONMENT.redis_url, FETCH, [keyword]):
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "fetch_dataset"]
    try:
        # A session of its own, so that it outlives a restart of the web server.
        process = subprocess.Popen(
            [*command, "--record", keyword],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        _end(keyword, f"no process could be started to fetch it ({error.strerror or error})")
        return
    name = f"{WATCH}{keyword}"
    threading.Thread(target=_watch, args=(process, keyword), daemon=True, name=name).start()


def _watch(process: subprocess.Popen[bytes], keyword: str) -> None:
    """Wait for the process; record its end if it could not do so itself."""
    code = process.wait()
    try:
        _end(keyword, f"the process that fetched it ended with exit code {code}")
    except DatabaseError:
        logger.exception("The end of the fetch of %s could not be recorded.", keyword)
    finally:
        connection.close()


def _end(keyword: str, error: str) -> None:
    rows = Dataset.objects.filter(keyword=keyword, state__in=BUSY)
    rows.update(state=State.FAILED, error=error)
