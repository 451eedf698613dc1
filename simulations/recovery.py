"""Ends what dead supervisors left: stray processes, and rows that would stay active for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from simulations import lifecycle, processes
from simulations.artifacts import folder
from simulations.models import Simulation, Status
from simulations.process_identity import Identity, boot_id, host, is_alive

STALE_S = 60.0
SUPERVISED = (Status.PENDING, Status.RUNNING)


@dataclass(frozen=True)
class Recovered:
    """A simulation that this call has ended, and why."""

    simulation_id: str
    reason: str


def recover() -> list[Recovered]:
    """End every simulation whose supervisor is dead; of two callers only one ends each."""
    recovered = []
    for simulation in Simulation.objects.filter(status__in=SUPERVISED).order_by("id"):
        reason = orphaned(simulation)
        if reason is not None and fail_orphan(simulation, reason):
            recovered.append(Recovered(simulation.simulation_id, reason))
    return recovered


def orphaned(simulation: Simulation) -> str | None:
    """Return why nobody supervises a claimed simulation any more; None while somebody does.

    A process of this host is looked for; one of another host is judged by its heartbeat alone.
    """
    if simulation.supervisor_host != host():
        return _silent(simulation)
    supervisor = Identity(
        simulation.supervisor_boot_id,
        simulation.supervisor_pid or 0,
        simulation.supervisor_started or 0.0,
    )
    if is_alive(supervisor):
        return None
    if supervisor.boot_id != boot_id():
        return "interrupted: the machine was restarted during the run"
    return f"interrupted: process {supervisor.pid}, which supervised the run, is gone"


def fail_orphan(simulation: Simulation, reason: str) -> bool:
    """End the orphan's processes on this host and mark it failed; False if another one did."""
    processes.kill(simulation.attempt_token)
    if not lifecycle.fail(simulation.pk, reason, simulation.attempt_token):
        return False
    folder.mirror_status(simulation)
    return True


def stop_orphan(simulation: Simulation) -> bool:
    """End the orphan's processes on this host and mark it stopped; False if another one did."""
    processes.kill(simulation.attempt_token)
    return lifecycle.stop(simulation.pk, simulation.attempt_token)


def _silent(simulation: Simulation) -> str | None:
    last = simulation.heartbeat_at or simulation.started_at or simulation.queued_at
    if timezone.now() - last <= timedelta(seconds=STALE_S):
        return None
    where = simulation.supervisor_host or "an unknown host"
    return f"interrupted: its supervisor on {where} has been silent for more than {STALE_S:g} s"
