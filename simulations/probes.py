"""Questions to what is outside this process, each with a deadline and remembered for a while."""

from __future__ import annotations

import logging
import math
import shutil
import subprocess
import time
from functools import lru_cache
from typing import Any

from django.db import DatabaseError, connection

SMI_TIMEOUT_S = 5
SMI_REMEMBERED_S = 60
logger = logging.getLogger(__name__)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("the database does not answer: %s", error)
        return False
    return True


def gpus() -> list[dict[str, Any]]:
    """Return name and memory (GiB) of each NVIDIA GPU, as the driver's own tool tells them.

    torch is not asked: importing it would cost the web process seconds and hundreds of megabytes.
    """
    return list(_gpus(shutil.which("nvidia-smi"), _now(SMI_REMEMBERED_S)))


def _now(remembered_s: int) -> int:
    """Return a number that changes every `remembered_s` seconds, to forget answers by."""
    return math.floor(time.monotonic() / remembered_s)


@lru_cache(maxsize=1)
def _gpus(tool: str | None, now: int) -> tuple[dict[str, Any], ...]:
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SMI_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("nvidia-smi does not answer: %s", error)
        return ()
    return tuple(_gpu(line) for line in done.stdout.splitlines() if line.strip())


def _gpu(line: str) -> dict[str, Any]:
    name, _, mebibytes = line.rpartition(",")
    try:
        vram_gb = round(float(mebibytes) / 1024, 1)
    except ValueError:  # A partitioned GPU tells "[N/A]".
        vram_gb = None
    return {"name": name.strip(), "vram_gb": vram_gb}
