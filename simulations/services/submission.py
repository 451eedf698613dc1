"""New simulations: checked, recorded, given a folder, queued."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from simulations import dispatch, lifecycle
from simulations.artifacts import folder
from simulations.fl.config import SimulationConfig, StrategyConfig, as_json, parse, resolve
from simulations.fl.errors import StorageError
from simulations.models import RunEvent, Simulation, SimulationTag, StrategyRun
from simulations.process_identity import Identity

ID_TRIES = 100


@dataclass(frozen=True)
class Claim:
    """Who runs a simulation from the moment it exists, so that no queue can take it first."""

    token: str
    supervisor: Identity


@dataclass(frozen=True)
class Submission:
    """A simulation and whether this call made it (False: the idempotency key was known)."""

    simulation: Simulation
    is_new: bool


def check(raw: Any) -> SimulationConfig:
    """Parse and resolve a configuration as `create` would; raise ConfigError when it cannot run."""
    return resolve(parse(raw), draw_seed())


def create(
    raw: Any,
    *,
    prefix: str = "api_run",
    idempotency_key: str | None = None,
    claim: Claim | None = None,
) -> Submission:
    """Record a new simulation and queue it, or give it to `claim`.

    Raises ConfigError or StorageError and leaves nothing when it cannot run or be written.
    """
    known = _submitted_with(idempotency_key)
    if known is not None:
        return Submission(known, is_new=False)
    submission = _insert_under_new_id(raw, check(raw), prefix, idempotency_key, claim)
    if submission.is_new:
        _write_folder(submission.simulation)
    if submission.is_new and claim is None:
        dispatch.enqueue(submission.simulation)
    return submission


def repeat(simulation: Simulation) -> Simulation:
    """Queue a new simulation of the same configuration; one without a seed gets another seed.

    Raises ConfigError when it could not be submitted any more, StorageError as `create` does.
    """
    return create(simulation.config).simulation


def draw_seed() -> int:
    return secrets.randbelow(2**31)


def _submitted_with(idempotency_key: str | None) -> Simulation | None:
    if idempotency_key is None:
        return None
    return Simulation.objects.filter(idempotency_key=idempotency_key).first()


def _insert_under_new_id(
    raw: dict[str, Any],
    config: SimulationConfig,
    prefix: str,
    idempotency_key: str | None,
    claim: Claim | None,
) -> Submission:
    """Insert under an id made of the time; a transaction that took the same id moves it on."""
    moment = timezone.now()
    for _ in range(ID_TRIES):
        simulation_id = f"{prefix}_{moment:%Y%m%d_%H%M%S_%f}"
        try:
            simulation = insert(simulation_id, raw, config, idempotency_key, claim)
            return Submission(simulation, is_new=True)
        except IntegrityError:
            known = _submitted_with(idempotency_key)
            if known is not None:
                return Submission(known, is_new=False)
            if not Simulation.objects.filter(simulation_id=simulation_id).exists():
                raise
            moment += timedelta(microseconds=1)
    raise RuntimeError(f"no free id within {ID_TRIES} microseconds of {moment}")


def insert(
    simulation_id: str,
    raw: dict[str, Any],
    config: SimulationConfig,
    idempotency_key: str | None = None,
    claim: Claim | None = None,
) -> Simulation:
    """Insert the rows of a simulation; raise IntegrityError when its id is taken."""
    first = config.strategies[0]
    keywords = list(dict.fromkeys(s.aggregation_strategy_keyword for s in config.strategies))
    now = timezone.now()
    assert first.seed is not None, "a resolved configuration has a seed"
    with transaction.atomic():
        simulation = Simulation.objects.create(
            simulation_id=simulation_id,
            display_name=first.display_name or "",
            notes=first.notes,
            config=raw,
            warnings=list(config.warnings),
            seed=first.seed,
            engine=first.engine,
            idempotency_key=idempotency_key,
            strategy_names=", ".join(keywords)[:500],
            attack_types=", ".join(_attack_types(config))[:500],
            dataset_keyword=first.dataset_keyword or first.hf_dataset_name or "",
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
        if claim is not None:
            lifecycle.claim(simulation.pk, claim.token, claim.supervisor)
            simulation.refresh_from_db()
    return simulation


def _attack_types(config: SimulationConfig) -> list[str]:
    entries = [entry for strategy in config.strategies for entry in strategy.attack_schedule]
    return sorted({entry.attack_type for entry in entries})


def _strategy_run(simulation: Simulation, number: int, strategy: StrategyConfig) -> StrategyRun:
    return StrategyRun(
        simulation=simulation,
        number=number,
        keyword=strategy.aggregation_strategy_keyword,
        name=strategy.strategy_name or "",
        config=as_json(strategy),
        total_rounds=strategy.num_of_rounds,
    )


def _write_folder(simulation: Simulation) -> None:
    """Write the new folder; when that fails, take the simulation back unless a queue has it."""
    untouched = Simulation.objects.filter(
        pk=simulation.pk, status=simulation.status, attempt_token=simulation.attempt_token
    )
    try:
        folder.write_submission(simulation)
    except StorageError:
        if untouched.delete()[0]:
            folder.remove(simulation.simulation_id)
        raise
