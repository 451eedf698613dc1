"""The results of a simulation that has failed or was stopped: made after its end.

Stopping does not wait for them. The child has a token of its own, because no process of an attempt
outlives the attempt.
"""

from __future__ import annotations

import logging
import subprocess
import time
from contextlib import suppress

from simulations import attempt, processes
from simulations.attempt import Options
from simulations.models import FINISHED, Simulation

logger = logging.getLogger(__name__)
LIMIT_S = 120.0


def build(simulation: Simulation, token: str, options: Options) -> None:
    """Build what the finished rounds give, unless somebody resumes or deletes the simulation."""
    if _is_over(simulation, token, options):
        return
    command = options.artifacts or attempt.artifacts_command(simulation.simulation_id)
    own_token = f"{token}-results"
    deadline = time.monotonic() + LIMIT_S
    try:
        child = attempt.spawn(simulation.simulation_id, command, own_token, "", None)
    except OSError as error:
        logger.warning("%s: no results could be built: %s", simulation.simulation_id, error)
        return
    try:
        while child.poll() is None and time.monotonic() < deadline:
            if _is_over(simulation, token, options):
                break
            with suppress(subprocess.TimeoutExpired):
                child.wait(options.beat_s)
    finally:
        processes.end(child, own_token, 0)


def _is_over(simulation: Simulation, token: str, options: Options) -> bool:
    """Tell whether this process must end, or the simulation has no rounds or was moved on."""
    if options.interrupted() is not None:
        return True
    mine = Simulation.objects.filter(pk=simulation.pk, attempt_token=token)
    return not mine.filter(status__in=FINISHED, rounds_done__gt=0).exists()
