"""A simulation's folder: where it is, what submission and status leave in it, its removal."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from simulations.fl import atomic, strict_json
from simulations.fl.errors import StorageError
from simulations.models import Simulation

logger = logging.getLogger(__name__)
CONFIG = "config.json"
STATUS = "status.json"
LOG = "output.log"
CHECKPOINTS = "checkpoints"
SIMULATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TAIL_BYTES = 8192


def run_dir(simulation_id: str) -> Path:
    """Return the absolute folder of a simulation, which may not exist; ValueError for a bad id."""
    if not SIMULATION_ID.fullmatch(simulation_id):
        raise ValueError(f"not a simulation id: {simulation_id[:80]!r}")
    return Path(settings.OUT_DIR).resolve() / simulation_id


def write_submission(simulation: Simulation) -> None:
    """Write the configuration as submitted and the first status; raise StorageError."""
    text = strict_json.dumps(simulation.config, indent=2)
    atomic.write_text(run_dir(simulation.simulation_id) / CONFIG, text + "\n")
    _write_status(simulation)


def mirror_status(simulation: Simulation) -> None:
    """Write the row's present state to status.json; only warn when the system cannot.

    The database is the truth: what has happened to a run does not depend on this file.
    """
    try:
        _write_status(simulation)
    except StorageError as error:
        logger.warning("%s: %s", simulation.simulation_id, error)


def append_log(simulation_id: str, level: str, message: str) -> None:
    """Add a line to the simulation's log, in the form of the engine's own lines."""
    now = timezone.now()
    line = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z {level} {message}\n"
    with (run_dir(simulation_id) / LOG).open("a", encoding="utf-8") as log:
        log.write(line)


def log_tail(simulation_id: str, lines: int) -> list[str]:
    """Return the last lines of the simulation's log that are not blank."""
    path = run_dir(simulation_id) / LOG
    if not path.is_file():
        return []
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - TAIL_BYTES))
        text = log.read().decode(errors="replace")
    return [line for line in text.splitlines() if line.strip()][-lines:]


def has_checkpoint(simulation_id: str) -> bool:
    return any((run_dir(simulation_id) / CHECKPOINTS).glob("*.pt"))


def remove(simulation_id: str) -> None:
    """Remove the folder, if there is one: at once for readers, then file by file; StorageError."""
    folder = run_dir(simulation_id)
    if not folder.is_symlink() and not folder.exists():
        return
    grave = folder.with_name(f".deleting-{simulation_id}-{secrets.token_hex(4)}")
    try:
        folder.rename(grave)
        if grave.is_symlink():
            grave.unlink()
        else:
            shutil.rmtree(grave)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"cannot remove the folder of {simulation_id}: {error.strerror or error}"
        ) from error


def _write_status(simulation: Simulation) -> None:
    """Write the state, and again if it changed meanwhile.

    Several processes may do so at once: each looks again afterwards, so the last one to write has
    written the truth, and the folder of a row that was deleted meanwhile does not come back.
    """
    written: dict[str, Any] | None = None
    while (state := _state(simulation.pk)) != written:
        if state is None:
            remove(simulation.simulation_id)
            return
        path = run_dir(simulation.simulation_id) / STATUS
        atomic.write_text(path, strict_json.dumps(state, indent=2) + "\n")
        written = state


def _state(pk: int) -> dict[str, Any] | None:
    row = Simulation.objects.filter(pk=pk).first()
    if row is None:
        return None
    return {
        "simulation_id": row.simulation_id,
        "status": row.status,
        "progress": row.progress,
        "current_round": row.current_round,
        "total_rounds": row.num_of_rounds,
        "current_strategy": row.current_strategy,
        "total_strategies": row.num_of_strategies,
        "error": row.error or None,
        "seed": row.seed,
        "created_at": _iso(row.created_at),
        "started_at": _iso(row.started_at),
        "finished_at": _iso(row.finished_at),
    }


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
