"""Decides who runs a queued simulation: Celery workers while one listens, else the local queue.

Nothing here gives a simulation away: whoever wins `lifecycle.claim` runs it. A message is only a
bell, so it may get lost, come twice or come too late.

The rule: while Redis answers and a worker listens, queued simulations are left to the workers;
otherwise the local queue takes them. No simulation is marked for either, so that nothing has to be
undone when Redis or the workers go or come back. Workers publish again what nobody has taken.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from simulations import broker
from simulations.broker import BrokerUnavailable
from simulations.models import Simulation, Status

logger = logging.getLogger(__name__)
RUN = "simulations.run"
FORGOTTEN_S = 10.0
REPUBLISHED_AT_ONCE = 100


def enqueue(simulation: Simulation) -> None:
    """Tell the workers of a queued simulation once it is committed; take less than a second.

    Never fails: what no worker hears of, the local queue finds in the database.
    """
    message = (simulation.pk, simulation.attempt)
    transaction.on_commit(partial(_publish, simulation.simulation_id, message), robust=True)


def is_left_to_workers() -> bool:
    """Tell whether the local queue must not take queued simulations, as known some seconds ago."""
    return broker.health()["execution_mode"] == "celery"


def republish() -> int:
    """Publish again what has waited for long, if Redis holds no message; return how many.

    Messages get lost when Redis is emptied and when a worker dies between taking one and claiming.
    Raises BrokerUnavailable.
    """
    limit = timezone.now() - timedelta(seconds=FORGOTTEN_S)
    waiting = Simulation.objects.filter(status=Status.QUEUED, queued_at__lt=limit)
    oldest = waiting.order_by("queued_at", "id").values_list("pk", "attempt")
    messages = list(oldest[:REPUBLISHED_AT_ONCE])
    if not messages or broker.broker().waiting():
        return 0
    return len(messages) if broker.broker().publish_if_heard(RUN, messages) else 0


def _publish(simulation_id: str, message: tuple[int, int]) -> None:
    try:
        is_heard = broker.broker().publish_if_heard(RUN, [message])
    except BrokerUnavailable as error:
        logger.debug("%s waits for the local queue: %s", simulation_id, error)
        return
    logger.debug("%s waits for %s", simulation_id, "a worker" if is_heard else "the local queue")
