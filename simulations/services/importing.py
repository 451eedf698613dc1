"""Simulations whose folder is there but whose row is not: read back from the folder.

A row can be missing because the database was lost or is another one, or because the engine ran by
itself on another machine. The rows are those the recorder would have made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from simulations import lifecycle, recorder
from simulations.artifacts import folder
from simulations.fl import events, journal, strict_json
from simulations.fl.config import parse, resolve
from simulations.fl.errors import ConfigError
from simulations.models import Simulation, Status
from simulations.process_identity import this_process
from simulations.services import submission

UNREADABLE = (OSError, ConfigError, *recorder.UNRECORDABLE)


@dataclass(frozen=True)
class Imported:
    """A folder without a row; `problem` says why it could not be imported, if it could not."""

    simulation_id: str
    problem: str | None = None

    def __str__(self) -> str:
        if self.problem:
            return f"{self.simulation_id} could not be imported from its folder: {self.problem}"
        return f"{self.simulation_id} imported from its folder"


class _NotImported(ValueError):
    """The folder holds no simulation that can be read."""


def import_folders() -> list[Imported]:
    """Import each folder without a row; finish the removal of those that were deleted.

    A folder in which something was written within the last minute is left alone: an engine of
    another database may be at work there. Raises StorageError.
    """
    folder.finish_deletions()
    return [
        _import(simulation_id) for simulation_id in folder.without_row() if _is_run(simulation_id)
    ]


def _is_run(simulation_id: str) -> bool:
    run_dir = folder.run_dir(simulation_id)
    return any((run_dir / name).is_file() for name in (folder.CONFIG, journal.CONFIG))


def _import(simulation_id: str) -> Imported:
    try:
        with transaction.atomic():
            _insert(simulation_id)
    except UNREADABLE as error:
        return Imported(simulation_id, str(error) or type(error).__name__)
    return Imported(simulation_id)


def _insert(simulation_id: str) -> None:
    run_dir = folder.run_dir(simulation_id)
    status = _read(run_dir / folder.STATUS) or {}
    resolved = _read(run_dir / journal.CONFIG)
    submitted = _read(run_dir / folder.CONFIG) or resolved
    token = secrets.token_hex(16)
    claim = submission.Claim(token, this_process())
    config = resolve(parse(resolved or submitted), _seed(status))
    simulation = submission.insert(simulation_id, submitted, config, claim=claim)
    lifecycle.start(simulation.pk, token)
    ending = _replay(simulation.pk, token, run_dir)
    _end(simulation.pk, token, status, ending)
    _date(simulation.pk, status)


def _replay(pk: int, token: str, run_dir: Path) -> events.Event | None:
    """Record the journal; return its last event."""
    event = None
    for event in journal.read(run_dir):
        recorder.record(pk, token, event)
    recorder.warn(pk, token, "imported from its folder")
    return event


def _end(pk: int, token: str, status: dict[str, Any], ending: events.Event | None) -> None:
    told = status.get("status")
    if isinstance(ending, events.RunFinished) and told != Status.FAILED:
        lifecycle.complete(pk, token)
    elif told == Status.STOPPED:
        lifecycle.stop(pk, token)
    elif isinstance(ending, events.RunFailed):
        lifecycle.fail(pk, ending.error, token)
    else:
        reason = status.get("error") or "interrupted: its folder does not tell how it ended"
        lifecycle.fail(pk, str(reason), token)


def _date(pk: int, status: dict[str, Any]) -> None:
    """Give the row the times that the folder tells, where it does."""
    names = ("created_at", "started_at", "finished_at")
    told = {name: parse_datetime(str(status.get(name) or "")) for name in names}
    known = {name: moment for name, moment in told.items() if moment is not None}
    Simulation.objects.filter(pk=pk).update(**known)


def _seed(status: dict[str, Any]) -> int:
    """Return the seed of settings that name none; one that nobody knows is drawn."""
    seed = status.get("seed")
    return seed if type(seed) is int else submission.draw_seed()


def _read(path: Path) -> Any:
    if not path.is_file():
        return None
    value = strict_json.loads(path.read_bytes())
    if not isinstance(value, dict):
        raise _NotImported(f"{path.name} holds no object")
    return value
