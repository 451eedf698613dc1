"""What one does to simulations that exist: stop, resume, rename, archive them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from simulations import dispatch, lifecycle, recovery
from simulations.artifacts import folder
from simulations.models import Simulation, Status
from simulations.process_identity import host
from simulations.services.errors import InvalidName, NotAllowed
from simulations.services.submission import Claim

MAX_NAME = 100
STOP_WAIT_S = 12.0
FROZEN_S = 6.0


def stop(simulation: Simulation, wait_s: float = STOP_WAIT_S) -> Simulation:
    """Stop an active simulation; return it once no process of it is left, or after `wait_s`."""
    if lifecycle.is_finished(simulation):
        raise NotAllowed(f"the simulation is already {simulation.status}")
    if not lifecycle.stop(simulation.pk, only_queued=True):
        lifecycle.request_stop(simulation.pk)
    began = time.monotonic()
    while not _has_ended(simulation, time.monotonic() - began):
        if time.monotonic() - began > wait_s:
            break
        time.sleep(0.1)
    folder.mirror_status(simulation)
    return simulation


def stop_many(simulations: Iterable[Simulation], wait_s: float = STOP_WAIT_S) -> None:
    """Ask all that are active to stop, then wait for them together."""
    active = [one for one in simulations if not lifecycle.is_finished(one)]
    for simulation in active:
        if not lifecycle.stop(simulation.pk, only_queued=True):
            lifecycle.request_stop(simulation.pk)
    deadline = time.monotonic() + wait_s
    for simulation in active:
        with suppress(NotAllowed):
            stop(simulation, max(0.0, deadline - time.monotonic()))


def archive(simulation_ids: Collection[str]) -> int:
    """Hide finished and waiting simulations alike from the list; return how many were shown."""
    shown = Simulation.objects.filter(simulation_id__in=simulation_ids, archived_at=None)
    return shown.update(archived_at=timezone.now())


def unarchive(simulation_ids: Collection[str]) -> int:
    """Show archived simulations again; return how many were hidden."""
    hidden = Simulation.objects.filter(simulation_id__in=simulation_ids)
    return hidden.exclude(archived_at=None).update(archived_at=None)


def resume(simulation: Simulation, *, claim: Claim | None = None) -> Simulation:
    """Queue a failed or stopped simulation, or give it to `claim`, to go on after its checkpoint.

    Raises NotAllowed when it has not ended that way or has no checkpoint.
    """
    reason = _why_not_resumed(simulation)
    if reason is not None:
        raise NotAllowed(reason)
    with transaction.atomic():
        if not lifecycle.requeue(simulation.pk, fruitless_attempts=0):
            simulation.refresh_from_db()
            raise NotAllowed(f"the simulation is already {simulation.status}")
        if claim is not None:
            lifecycle.claim(simulation.pk, claim.token, claim.supervisor)
        simulation.refresh_from_db()
        if claim is None:
            dispatch.enqueue(simulation)
    folder.mirror_status(simulation)
    return simulation


def is_resumable(simulation: Simulation) -> bool:
    """Tell whether `resume` would take it as it is now."""
    return _why_not_resumed(simulation) is None


def rename(simulation: Simulation, display_name: str) -> Simulation:
    """Give the simulation a name of 1 to 100 characters, trimmed."""
    name = display_name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidName(f"display_name must have 1 to {MAX_NAME} characters, not {len(name)}")
    simulation.display_name = name
    simulation.save(update_fields=["display_name"])
    return simulation


def _why_not_resumed(simulation: Simulation) -> str | None:
    if simulation.status not in lifecycle.MOVES[Status.QUEUED]:
        return f"the simulation is {simulation.status}; only a failed or stopped one can be resumed"
    if folder.has_checkpoint(simulation.simulation_id):
        return None
    every = simulation.strategies.values_list("config__checkpoint_every", flat=True)
    if not any(every):
        return "there is no checkpoint, because checkpoint_every is 0; submit it again instead"
    return "it ended before its first checkpoint was written; submit it again instead"


def _has_ended(simulation: Simulation, waited_s: float) -> bool:
    """Look at the row again; stop the simulation here if nobody is left who could."""
    simulation.refresh_from_db()
    if simulation.status in recovery.SUPERVISED and _is_helpless(simulation, waited_s):
        recovery.stop_orphan(simulation)
        simulation.refresh_from_db()
    return lifecycle.is_finished(simulation)


def _is_helpless(simulation: Simulation, waited_s: float) -> bool:
    """Tell whether the supervisor is dead, or alive on this host without a beat since the wish."""
    if recovery.orphaned(simulation) is not None:
        return True
    asked, beat = simulation.stop_requested_at, simulation.heartbeat_at
    is_silent = asked is not None and (beat is None or beat < asked)
    return is_silent and waited_s > FROZEN_S and simulation.supervisor_host == host()
