"""The Celery tasks: each a few lines around what does the work."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from celery.exceptions import Reject

from intellifl.celery import app
from simulations import lifecycle
from simulations.attempt import Options
from simulations.dispatch import RUN
from simulations.models import Simulation, Status
from simulations.process_identity import this_process
from simulations.supervisor import supervise
from simulations.worker import interruption

logger = logging.getLogger(__name__)


def run(pk: Any, attempt: Any) -> None:
    """Run the simulation `pk` if it still waits for its attempt number `attempt` + 1."""
    token = secrets.token_hex(16)
    if _is_wanted(pk, attempt) and lifecycle.claim(pk, token, this_process()):
        supervise(pk, token, Options(interrupted=interruption))


def _is_wanted(pk: Any, attempt: Any) -> bool:
    """Tell whether the message is the first one of its attempt; log why not. Raises Reject."""
    if type(pk) is not int or type(attempt) is not int:
        raise Reject(f"{RUN} takes two integers, not {pk!r:.80} and {attempt!r:.80}")
    simulation = Simulation.objects.filter(pk=pk).first()
    if simulation is None:
        logger.info("A message for simulation %d is ignored: it was deleted.", pk)
        return False
    if (simulation.status, simulation.attempt) != (Status.QUEUED, attempt):
        logger.info(
            "A message for attempt %d of %s is ignored: the simulation is %s, attempt %d.",
            attempt + 1, simulation.simulation_id, simulation.status, simulation.attempt,
        )  # fmt: skip
        return False
    return interruption() is None


app.task(run, name=RUN)
