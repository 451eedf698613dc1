"""Result files made anew, by a process of its own: this one loads no plotting library."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Iterable

from django.conf import settings

from simulations import attempt, lifecycle
from simulations.fl.errors import StorageError
from simulations.models import Simulation

logger = logging.getLogger(__name__)


def rebuild(simulations: Iterable[Simulation]) -> list[Simulation]:
    """Have the files of those that are finished made anew, one after the other; return these.

    Does not wait for the files. Raises StorageError when the system can start no process.
    """
    finished = [one for one in simulations if lifecycle.is_finished(one)]
    if finished:
        _start([one.simulation_id for one in finished])
    return finished


def _start(simulation_ids: list[str]) -> None:
    try:
        process = subprocess.Popen(
            [*attempt.artifacts_command(simulation_ids[0]), *simulation_ids[1:], "--quiet"],
            cwd=settings.BASE_DIR,
            env={**os.environ, **attempt.variables()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # A session of its own, so that it outlives a restart of the web server.
            start_new_session=True,
        )
    except OSError as error:
        raise StorageError(f"no process could be started: {error.strerror or error}") from error
    threading.Thread(target=_watch, args=(process, simulation_ids), daemon=True).start()


def _watch(process: subprocess.Popen[bytes], simulation_ids: list[str]) -> None:
    code = process.wait()
    if code:
        logger.error("rebuild_artifacts %s ended with code %d", " ".join(simulation_ids), code)
