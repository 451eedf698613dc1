"""Use cases: create, stop, rename and delete simulations. Every door calls these."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from simulations import lifecycle
from simulations.artifacts import folder
from simulations.fl.config import SimulationConfig, StrategyConfig, as_json, parse, resolve
from simulations.models import (
    ACTIVE,
    RunEvent,
    Simulation,
    SimulationTag,
    StrategyRun,
)

MAX_NAME = 100
STOP_WAIT_S = 12.0


class NotAllowed(Exception):
    """The simulation's state does not allow this; the message says why."""


class InvalidName(Exception):
    """The display name is empty or too long."""


@dataclass(frozen=True)
class Submission:
    """A simulation and whether this call made it (False: the idempotency key was known)."""

    simulation: Simulation
    is_new: bool


def check(raw: Any) -> SimulationConfig:
    """Parse and resolve a configuration as `create` would; raise ConfigError when it cannot run."""
    return resolve(parse(raw), draw_seed())


def create(raw: Any, *, prefix: str = "api_run", idempotency_key: str | None = None) -> Submission:
    """Record and queue a new simulation; raise ConfigError and leave nothing when it cannot run."""
    known = _submitted_with(idempotency_key)
    if known is not None:
        return Submission(known, is_new=False)
    config = check(raw)
    try:
        simulation = _insert(raw, config, prefix, idempotency_key)
    except IntegrityError:
        known = _submitted_with(idempotency_key)
        if known is None:
            raise
        return Submission(known, is_new=False)
    folder.write_submission(simulation)
    return Submission(simulation, is_new=True)


def stop(simulation: Simulation, wait_s: float = STOP_WAIT_S) -> Simulation:
    """Stop an active simulation; return it once no process of it is left, or after `wait_s`."""
    if lifecycle.is_finished(simulation):
        raise NotAllowed(f"the simulation is already {simulation.status}")
    if not lifecycle.stop(simulation.pk, only_queued=True):
        lifecycle.request_stop(simulation.pk)
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        simulation.refresh_from_db()
        if lifecycle.is_finished(simulation):
            break
        time.sleep(0.1)
    folder.mirror_status(simulation)
    return simulation


def rename(simulation: Simulation, display_name: str) -> Simulation:
    """Give the simulation a name of 1 to 100 characters, trimmed."""
    name = display_name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidName(f"display_name must have 1 to {MAX_NAME} characters, not {len(name)}")
    simulation.display_name = name
    simulation.save(update_fields=["display_name"])
    return simulation


def delete(simulation: Simulation) -> None:
    """Delete a finished simulation: first its rows, so no reader sees half, then its folder."""
    with transaction.atomic():
        rows = Simulation.objects.filter(pk=simulation.pk).exclude(status__in=ACTIVE)
        if not rows.exists():
            raise NotAllowed(f"the simulation is {simulation.status}; stop it first")
        rows.delete()
    folder.remove(simulation.simulation_id)


def delete_many(simulation_ids: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Delete each simulation that can be; return the deleted ids and a reason for each other."""
    deleted: list[str] = []
    failed: list[dict[str, str]] = []
    for simulation_id in dict.fromkeys(simulation_ids):
        try:
            delete(Simulation.objects.get(simulation_id=simulation_id))
            deleted.append(simulation_id)
        except Simulation.DoesNotExist:
            failed.append({"simulation_id": simulation_id, "error": "no such simulation"})
        except NotAllowed as error:
            failed.append({"simulation_id": simulation_id, "error": str(error)})
    return deleted, failed


def draw_seed() -> int:
    return secrets.randbelow(2**31)


def _submitted_with(idempotency_key: str | None) -> Simulation | None:
    if idempotency_key is None:
        return None
    return Simulation.objects.filter(idempotency_key=idempotency_key).first()


def _insert(
    raw: dict[str, Any], config: SimulationConfig, prefix: str, idempotency_key: str | None
) -> Simulation:
    first = config.strategies[0]
    keywords = list(dict.fromkeys(s.aggregation_strategy_keyword for s in config.strategies))
    now = timezone.now()
    with transaction.atomic():
        simulation = Simulation.objects.create(
            simulation_id=_unused_id(prefix, now),
            display_name=first.display_name or "",
            notes=first.notes,
            config=raw,
            warnings=list(config.warnings),
            seed=first.seed,
            engine=first.engine,
            idempotency_key=idempotency_key,
            strategy_names=", ".join(keywords)[:500],
            dataset_keyword=first.dataset_keyword or first.hf_dataset_name,
            num_of_rounds=max(s.num_of_rounds for s in config.strategies),
            num_of_clients=max(s.num_of_clients for s in config.strategies),
            num_of_strategies=len(config.strategies),
            rounds_total=sum(s.num_of_rounds for s in config.strategies),
            created_at=now,
            queued_at=now,
        )
        SimulationTag.objects.bulk_create(
            SimulationTag(simulation=simulation, name=name) for name in dict.fromkeys(first.tags)
        )
        StrategyRun.objects.bulk_create(
            _strategy_run(simulation, number, strategy)
            for number, strategy in enumerate(config.strategies)
        )
        RunEvent.objects.create(
            simulation=simulation, kind="status", payload={"status": "queued"}, created_at=now
        )
    return simulation


def _strategy_run(simulation: Simulation, number: int, strategy: StrategyConfig) -> StrategyRun:
    return StrategyRun(
        simulation=simulation,
        number=number,
        keyword=strategy.aggregation_strategy_keyword,
        name=strategy.strategy_name or "",
        config=as_json(strategy),
        total_rounds=strategy.num_of_rounds,
    )


def _unused_id(prefix: str, now: datetime) -> str:
    """Return an id made of the time; called in the transaction that uses it."""
    while True:
        candidate = f"{prefix}_{now:%Y%m%d_%H%M%S_%f}"
        if not Simulation.objects.filter(simulation_id=candidate).exists():
            return candidate
        now += timedelta(microseconds=1)
