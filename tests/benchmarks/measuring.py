"""What benchmarks share: a server process, clocks, percentiles."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.web_server import WebServer

Row = tuple[str, str, str]
"""What was measured, what was found, what it has to reach."""


@contextmanager
def web(**variables: str) -> Iterator[WebServer]:
    """Start a server with these variables; kill it afterwards."""
    before = dict(os.environ)
    os.environ.update(variables)
    server = WebServer(Path(settings.OUT_DIR).parent / "web.log")
    try:
        yield server
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.kill()


def timed(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]
