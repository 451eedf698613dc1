"""Ends what dead supervisors left: stray processes, and rows that would stay active for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from simulations import interruption, lifecycle, processes
from simulations.artifacts import folder
from simulations.models import Simulation, Status
from simulations.process_identity import Identity, boot_id, host, is_alive

STALE_S = 60.0
SUPERVISED = (Status.PENDING, Status.RUNNING)


LOOK_S = 10.0


@dataclass(frozen=True)
class Recovered:
    """A simulation that this call has taken from a dead supervisor: its status now, and why."""

    simulation_id: str
    status: Status
    reason: str

    def __str__(self) -> str:
        return f"{self.simulation_id} {self.status}, {self.reason}"


class Watch:
    """Times how long a heartbeat has not changed, by looking at it again and again.

    Only time in which this process looked counts: neither a clock that was set or that differs on
    another host, nor a machine that slept makes a supervisor look dead.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silences: dict[tuple[int, str], _Silence] = {}

    def silent_s(self, simulation: Simulation) -> float:
        """Return the seconds of silence so far, at most LOOK_S more than at the last look."""
        now = self._clock()
        key = (simulation.pk, simulation.attempt_token)
        silence = self._silences.get(key)
        if silence is None or silence.heartbeat != simulation.heartbeat_at:
            silence = _Silence(simulation.heartbeat_at, now)
        silence.seconds += min(now - silence.looked, LOOK_S)
        silence.looked = now
        self._silences[key] = silence
        return silence.seconds

    def forget_all_but(self, simulations: Iterable[Simulation]) -> None:
        kept = {(one.pk, one.attempt_token) for one in simulations}
        self._silences = {key: self._silences[key] for key in self._silences.keys() & kept}


@dataclass
class _Silence:
    heartbeat: datetime | None
    looked: float
    seconds: float = 0.0


def recover(watch: Watch | None = None) -> list[Recovered]:
    """Take every simulation whose supervisor is dead; of two callers only one takes each.

    Give the same `watch` at each call of a process that calls it every few seconds.
    """
    recovered = []
    supervised = list(Simulation.objects.filter(status__in=SUPERVISED).order_by("id"))
    if watch is not None:
        watch.forget_all_but(supervised)
    for simulation in supervised:
        reason = orphaned(simulation, watch)
        status = None if reason is None else end_orphan(simulation, reason)
        if reason is not None and status is not None:
            recovered.append(Recovered(simulation.simulation_id, status, reason))
    return recovered


def orphaned(simulation: Simulation, watch: Watch | None = None) -> str | None:
    """Return why nobody supervises a claimed simulation any more; None while somebody does.

    A supervisor on this host is dead when its process is gone. One that is not, or is on another
    host, is dead when `watch` has seen no heartbeat for STALE_S; without a watch only one on
    another host is, by the clocks of both.
    """
    if watch is not None and watch.silent_s(simulation) > STALE_S:
        return _silence(simulation)
    if simulation.supervisor_host != host():
        is_silent = watch is None and _age_s(simulation) > STALE_S
        return _silence(simulation) if is_silent else None
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


def end_orphan(simulation: Simulation, reason: str) -> Status | None:
    """End the orphan's processes on this host and its attempt; None if another one did."""
    processes.kill(simulation.attempt_token)
    status = interruption.end(simulation.pk, simulation.attempt_token, reason)
    if status is not None:
        folder.mirror_status(simulation)
    return status


def stop_orphan(simulation: Simulation) -> bool:
    """End the orphan's processes on this host and mark it stopped; False if another one did."""
    processes.kill(simulation.attempt_token)
    return lifecycle.stop(simulation.pk, simulation.attempt_token)


def _age_s(simulation: Simulation) -> float:
    last = simulation.heartbeat_at or simulation.queued_at
    return (timezone.now() - last).total_seconds()


def _silence(simulation: Simulation) -> str:
    where = simulation.supervisor_host or "an unknown host"
    return f"interrupted: its supervisor on {where} has been silent for more than {STALE_S:g} s"
