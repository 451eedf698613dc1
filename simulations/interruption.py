"""What becomes of a simulation whose attempt was cut off without its own fault.

It has failed and can be resumed by hand. Where servers resume by themselves it is queued again,
until too many attempts in a row have not finished a round.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from simulations import dispatch, lifecycle
from simulations.models import Simulation, Status

MAX_FRUITLESS_ATTEMPTS = 3
GIVEN_UP = f"; given up after {MAX_FRUITLESS_ATTEMPTS} attempts without a finished round"


def end(pk: int, token: str, reason: str) -> Status | None:
    """End the interrupted attempt `token`; return the new status, None if it lost the simulation.

    A simulation that somebody asked to stop is stopped.
    """
    with transaction.atomic():
        held = Simulation.objects.select_for_update().filter(pk=pk, attempt_token=token)
        simulation = held.first()
        if simulation is None:
            return None
        if simulation.stop_requested_at is not None:
            return Status.STOPPED if lifecycle.stop(pk, token) else None
        is_given_up = simulation.fruitless_attempts >= MAX_FRUITLESS_ATTEMPTS
        if settings.RESUMES_BY_ITSELF and is_given_up:
            reason += GIVEN_UP
        if not lifecycle.fail(pk, reason, token):
            return None
        if is_given_up or not settings.RESUMES_BY_ITSELF:
            return Status.FAILED
        lifecycle.requeue(pk)
        dispatch.enqueue(simulation)
        return Status.QUEUED
