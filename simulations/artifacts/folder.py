"""A simulation's folder: where it is, what submission and status leave in it, its removal."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from simulations import selectors
from simulations.fl import atomic, strict_json
from simulations.fl.errors import StorageError
from simulations.models import Simulation

logger = logging.getLogger(__name__)
CONFIG = "config.json"
STATUS = "status.json"
LOG = "output.log"
CHECKPOINTS = "checkpoints"
SIMULATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DELETED = ".deleted"
GRAVE = ".deleting-"
QUIET_S = 60.0
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
    grave = folder.with_name(f"{GRAVE}{simulation_id}-{secrets.token_hex(4)}")
    try:
        folder.rename(grave)
        _remove(grave)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"cannot remove the folder of {simulation_id}: {error.strerror or error}"
        ) from error


def mark_deleted(simulation_id: str) -> None:
    """Leave a mark that tells the folder of a deleted row from one that has lost its row."""
    try:
        (run_dir(simulation_id) / DELETED).touch()
    except FileNotFoundError:
        return
    except OSError as error:
        logger.warning("%s: the deletion cannot be marked: %s", simulation_id, error)


def finish_deletions() -> None:
    """Remove what deletions that were cut off have left; raise StorageError."""
    out = Path(settings.OUT_DIR).resolve()
    known = set(Simulation.objects.values_list("simulation_id", flat=True))
    for entry in out.iterdir() if out.is_dir() else ():
        if not is_quiet(entry):
            continue
        try:
            if entry.name.startswith(GRAVE):
                _remove(entry)
            elif entry.name not in known and (entry / DELETED).exists():
                remove(entry.name)
        except OSError as error:
            raise StorageError(f"cannot remove {entry.name}: {error.strerror or error}") from error


def without_row() -> list[str]:
    """Return the ids of folders that no row belongs to and in which nothing is written now."""
    out = Path(settings.OUT_DIR).resolve()
    known = set(Simulation.objects.values_list("simulation_id", flat=True))
    entries = out.iterdir() if out.is_dir() else ()
    names = {entry.name for entry in entries if entry.is_dir() and not entry.is_symlink()}
    return sorted(
        name
        for name in names - known
        if SIMULATION_ID.fullmatch(name)
        and not (out / name / DELETED).exists()
        and is_quiet(out / name)
    )


def without_folder() -> list[str]:
    """Return the ids of simulations whose folder is gone, oldest first."""
    ids = Simulation.objects.order_by("id").values_list("simulation_id", flat=True)
    return [simulation_id for simulation_id in ids if not run_dir(simulation_id).is_dir()]


def is_quiet(path: Path) -> bool:
    """Tell whether nothing directly in a folder has changed for QUIET_S."""
    changed = max(entry.lstat().st_mtime for entry in (path, *_entries(path)))
    return time.time() - changed > QUIET_S


def _entries(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() and not path.is_symlink() else []


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path)


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
        "total_rounds": selectors.total_rounds(row),
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
