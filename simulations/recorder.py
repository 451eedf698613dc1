"""Engine events into rows, one transaction each; the only writer of metrics.

The simulation's row is locked first: an attempt that lost it writes nothing, and the order of
RunEvent ids is the order of commits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from simulations import client_rows
from simulations.fl import events, strict_json
from simulations.models import ACTIVE, RoundMetrics, RunEvent, Simulation, StrategyRun

ROUND_PAYLOAD = ("strategy_number", "round_number", "global_accuracy", "global_loss")
MOVED = ("current_strategy", "current_round", "rounds_done", "fruitless_attempts", "heartbeat_at")
UNRECORDABLE = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    ObjectDoesNotExist,
    IntegrityError,
    DataError,
)
UNRECORDED_ROUND_FIELDS = ("strategy_number", "clients")


def record(pk: int, token: str, event: events.Event) -> bool:
    """Record what the attempt `token` tells; False when it no longer holds the simulation.

    Raises one of UNRECORDABLE for an event that does not fit the simulation; nothing of it is
    recorded then.
    """
    with transaction.atomic():
        simulation = _held(pk, token)
        if simulation is None:
            return False
        kind, payload = RECORDERS[type(event)](simulation, event)
        _insert_event(simulation, kind, payload)
        return True


def warn(pk: int, token: str, message: str) -> bool:
    """Record a problem that does not end the simulation; False when the attempt lost it."""
    with transaction.atomic():
        simulation = _held(pk, token)
        if simulation is None:
            return False
        _insert_event(simulation, "warning", {"message": message})
        return True


def _strategy_started(simulation: Simulation, event: events.StrategyStarted) -> tuple[str, Any]:
    run = _strategy_run(simulation, event.strategy_number)
    # A resumed attempt repeats the rounds after its checkpoint.
    run.rounds.filter(round_number__gte=event.first_round).delete()
    run.client_rounds.filter(round_number__gte=event.first_round).delete()
    run.num_parameters = event.num_parameters
    run.client_sizes = event.client_sizes
    run.started_at = run.started_at or timezone.now()
    run.finished_at = None
    run.ended_early = ""
    run.current_round = event.first_round - 1
    last = run.rounds.order_by("-round_number").first()
    run.final_loss = last.global_loss if last else None
    run.final_accuracy = last.global_accuracy if last else None
    run.save()
    _advance(simulation, run)
    payload = {"strategy_number": event.strategy_number, "first_round": event.first_round}
    return event.kind, payload


def _round_finished(simulation: Simulation, event: events.RoundFinished) -> tuple[str, Any]:
    run = _strategy_run(simulation, event.strategy_number)
    metrics = strict_json.finite(
        {name: value for name, value in vars(event).items() if name not in UNRECORDED_ROUND_FIELDS}
    )
    RoundMetrics.objects.create(strategy_run=run, recorded_at=timezone.now(), **metrics)
    client_rows.insert(run, event.round_number, event.clients)
    run.current_round = event.round_number
    run.final_loss = metrics["global_loss"]
    run.final_accuracy = metrics["global_accuracy"]
    run.save(update_fields=["current_round", "final_loss", "final_accuracy"])
    simulation.fruitless_attempts = 0
    _advance(simulation, run)
    return "round", {name: strict_json.finite(getattr(event, name)) for name in ROUND_PAYLOAD}


def _strategy_finished(simulation: Simulation, event: events.StrategyFinished) -> tuple[str, Any]:
    run = _strategy_run(simulation, event.strategy_number)
    run.finished_at = timezone.now()
    run.ended_early = event.reason or ""
    run.save(update_fields=["finished_at", "ended_early"])
    _advance(simulation, run)
    return event.kind, dict(vars(event))


def _as_told(simulation: Simulation, event: events.Event) -> tuple[str, Any]:
    return event.kind, dict(vars(event))


RECORDERS: dict[type[events.Event], Callable[..., tuple[str, Any]]] = {
    events.RunStarted: _as_told,
    events.StrategyStarted: _strategy_started,
    events.RoundFinished: _round_finished,
    events.StrategyFinished: _strategy_finished,
    events.SnapshotSaved: _as_told,
    events.RunFinished: _as_told,
    events.RunFailed: _as_told,
}


def _held(pk: int, token: str) -> Simulation | None:
    rows = Simulation.objects.select_for_update()
    return rows.filter(pk=pk, attempt_token=token, status__in=ACTIVE).first()


def _strategy_run(simulation: Simulation, number: int) -> StrategyRun:
    return StrategyRun.objects.get(simulation=simulation, number=number)


def _advance(simulation: Simulation, run: StrategyRun) -> None:
    """Show `run` as the current strategy; progress counts all rounds and never goes down."""
    rows = simulation.strategies.values_list("current_round", "total_rounds", "finished_at")
    done = sum(total if finished else current for current, total, finished in rows)
    simulation.current_strategy = run.number
    simulation.current_round = run.current_round
    simulation.rounds_done = max(simulation.rounds_done, done)


def _insert_event(simulation: Simulation, kind: str, payload: dict[str, Any]) -> None:
    now: datetime = timezone.now()
    simulation.heartbeat_at = now
    simulation.save(update_fields=MOVED)
    RunEvent.objects.create(
        simulation=simulation, kind=kind, payload=strict_json.finite(payload), created_at=now
    )
