"""Questions to what is outside this process, each with a deadline and remembered for a while."""

from __future__ import annotations

import logging
import math
import shutil
import subprocess
import threading
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

REDIS_TIMEOUT_S = 0.5
REDIS_DEADLINE_S = 1.2
REDIS_REMEMBERED_S = 3
SMI_TIMEOUT_S = 5
SMI_REMEMBERED_S = 60
logger = logging.getLogger(__name__)


def redis_answers() -> bool:
    """Tell whether Redis answered within the last seconds."""
    return _redis_answers(settings.ENVIRONMENT.redis_url, _now(REDIS_REMEMBERED_S))


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
def _redis_answers(url: str, now: int) -> bool:
    answers: list[bool] = []
    # In a thread, because a look-up of the host's name knows no timeout.
    thread = threading.Thread(target=lambda: answers.append(_ping(url)), daemon=True)
    thread.start()
    thread.join(REDIS_DEADLINE_S)
    return answers == [True]


def _ping(url: str) -> bool:
    try:
        client = Redis.from_url(
            url,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            socket_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            return bool(client.ping())
    except (RedisError, OSError, ValueError) as error:
        logger.debug("redis does not answer: %s", type(error).__name__)
        return False


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
