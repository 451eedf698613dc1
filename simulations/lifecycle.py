"""The state machine of a simulation: legal moves, each a conditional UPDATE that tells who won."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from simulations.models import ACTIVE, FINISHED, RunEvent, Simulation, Status
from simulations.process_identity import Identity, host

MOVES: dict[Status, tuple[Status, ...]] = {
    Status.QUEUED: (Status.FAILED, Status.STOPPED),
    Status.PENDING: (Status.QUEUED,),
    Status.RUNNING: (Status.PENDING,),
    Status.COMPLETED: (Status.RUNNING,),
    Status.FAILED: ACTIVE,
    Status.STOPPED: ACTIVE,
}


def claim(pk: int, token: str, supervisor: Identity) -> bool:
    """Take a queued simulation for the attempt `token`; False when somebody else was first."""
    rows = Simulation.objects.filter(pk=pk)
    attempt = rows.values_list("attempt", flat=True).first()
    return attempt is not None and _move(
        rows.filter(attempt=attempt),
        Status.PENDING,
        attempt=attempt + 1,
        attempt_token=token,
        fruitless_attempts=F("fruitless_attempts") + 1,
        heartbeat_at=timezone.now(),
        supervisor_host=host(),
        supervisor_boot_id=supervisor.boot_id,
        supervisor_pid=supervisor.pid,
        supervisor_started=supervisor.create_time,
    )


def start(pk: int, token: str) -> bool:
    first_start = Coalesce("started_at", timezone.now())
    return _move(_held(pk, token), Status.RUNNING, started_at=first_start)


def complete(pk: int, token: str) -> bool:
    return _move(_held(pk, token), Status.COMPLETED, finished_at=timezone.now())


def fail(pk: int, error: str, token: str | None = None) -> bool:
    """End an active simulation with the reason; with `token` only if that attempt holds it."""
    return _move(_held(pk, token), Status.FAILED, finished_at=timezone.now(), error=error)


def stop(pk: int, token: str | None = None, *, only_queued: bool = False) -> bool:
    """End an active simulation as stopped; with `token` only if that attempt still holds it."""
    rows = _held(pk, token)
    if only_queued:
        rows = rows.filter(status=Status.QUEUED)
    return _move(rows, Status.STOPPED, finished_at=timezone.now())


def requeue(pk: int, **fields: object) -> bool:
    """Queue a failed or stopped simulation for another attempt; no earlier one holds it then."""
    return _move(
        Simulation.objects.filter(pk=pk),
        Status.QUEUED,
        queued_at=timezone.now(),
        finished_at=None,
        stop_requested_at=None,
        heartbeat_at=None,
        attempt_token="",
        error="",
        **fields,
    )


def request_stop(pk: int) -> bool:
    """Ask the supervisor of an active simulation to stop it; it looks at every beat."""
    return bool(
        Simulation.objects.filter(pk=pk, status__in=ACTIVE, stop_requested_at=None).update(
            stop_requested_at=timezone.now()
        )
    )


def beat(pk: int, token: str) -> Simulation | None:
    """Record that the supervisor is alive; return the row, or None if the attempt lost it."""
    held = _held(pk, token).filter(status__in=ACTIVE)
    if not held.update(heartbeat_at=timezone.now()):
        return None
    return held.first()


def is_finished(simulation: Simulation) -> bool:
    return simulation.status in FINISHED


def _held(pk: int, token: str | None) -> QuerySet[Simulation]:
    rows = Simulation.objects.filter(pk=pk)
    return rows if token is None else rows.filter(attempt_token=token)


def _move(rows: QuerySet[Simulation], to: Status, **fields: object) -> bool:
    with transaction.atomic():
        moving = rows.filter(status__in=MOVES[to])
        pk = moving.values_list("pk", flat=True).first()
        if pk is None or not moving.update(status=to, **fields):
            return False
        payload = {"status": to.value, "error": fields.get("error")}
        RunEvent.objects.create(
            simulation_id=pk, kind="status", payload=payload, created_at=timezone.now()
        )
        return True
