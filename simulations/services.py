"""Use cases: create, stop, resume, rename, delete simulations. Every door calls these."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from simulations import dispatch, lifecycle, recovery
from simulations.artifacts import folder
from simulations.fl.config import SimulationConfig, StrategyConfig, as_json, parse, resolve
from simulations.fl.errors import StorageError
from simulations.models import (
    ACTIVE,
    RunEvent,
    Simulation,
    SimulationTag,
    Status,
    StrategyRun,
)
from simulations.process_identity import Identity, host

MAX_NAME = 100
STOP_WAIT_S = 12.0
FROZEN_S = 6.0
ID_TRIES = 100


class NotAllowed(Exception):
    """The simulation's state does not allow this; the message says why."""


class InvalidName(Exception):
    """The display name is empty or too long."""


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
        row = Simulation.objects.select_for_update().filter(pk=simulation.pk).first()
        if row is not None and row.status in ACTIVE:
            raise NotAllowed(f"the simulation is {row.status}; stop it first")
        if row is not None:
            row.delete()
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
            simulation = _insert(simulation_id, raw, config, idempotency_key, claim)
            return Submission(simulation, is_new=True)
        except IntegrityError:
            known = _submitted_with(idempotency_key)
            if known is not None:
                return Submission(known, is_new=False)
            if not Simulation.objects.filter(simulation_id=simulation_id).exists():
                raise
            moment += timedelta(microseconds=1)
    raise RuntimeError(f"no free id within {ID_TRIES} microseconds of {moment}")


def _insert(
    simulation_id: str,
    raw: dict[str, Any],
    config: SimulationConfig,
    idempotency_key: str | None,
    claim: Claim | None,
) -> Simulation:
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


def is_resumable(simulation: Simulation) -> bool:
    """Tell whether `resume` would take it as it is now."""
    return _why_not_resumed(simulation) is None


def _why_not_resumed(simulation: Simulation) -> str | None:
    if simulation.status not in lifecycle.MOVES[Status.QUEUED]:
        return f"the simulation is {simulation.status}; only a failed or stopped one can be resumed"
    if folder.has_checkpoint(simulation.simulation_id):
        return None
    every = simulation.strategies.values_list("config__checkpoint_every", flat=True)
    if not any(every):
        return "there is no checkpoint, because checkpoint_every is 0; submit it again instead"
    return "there is no checkpoint, because no round was finished; submit it again instead"


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
