"""What a run's folder says of itself, without a database: its settings, and all it has measured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from simulations.fl import atomic, events, strict_json
from simulations.fl.config import SimulationConfig, as_json
from simulations.fl.errors import StorageError
from simulations.fl.events import Event

NAME = "events.jsonl"
CONFIG = "resolved_config.json"


class Journal:
    """Appends events; with `resume` to those of earlier attempts, else to an empty file.

    Raises StorageError when the system cannot write; no part of an event stays then.
    """

    def __init__(self, run_dir: Path, *, resume: bool) -> None:
        self._path = run_dir / NAME
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            self._end = _whole(self._path) if resume else 0
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, line: bytes) -> None:
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(self._descriptor, line[written:], self._end + written)
        except OSError as error:
            os.ftruncate(self._descriptor, self._end)
            raise self._failure(error) from error
        self._end += len(line)

    def _failure(self, error: OSError) -> StorageError:
        return StorageError(f"cannot write {NAME}: {error.strerror or error}")


def write_config(config: SimulationConfig, run_dir: Path) -> None:
    """Write the resolved settings, with which the run can be repeated; raise StorageError."""
    resolved = {"simulation_strategies": [as_json(strategy) for strategy in config.strategies]}
    atomic.write_text(run_dir / CONFIG, strict_json.dumps(resolved, indent=2) + "\n")


def read(run_dir: Path) -> Iterator[Event]:
    """Yield the events of a run's folder; a last line that was cut off is none.

    Raises ValueError or TypeError for a line that is no event.
    """
    path = run_dir / NAME
    if not path.is_file():
        return
    with path.open("rb") as journal:
        for line in journal:
            if line.endswith(b"\n"):
                yield events.from_line(line)


def _whole(path: Path) -> int:
    """Return the size of the file up to the end of its last whole line."""
    if not path.is_file():
        return 0
    return path.read_bytes().rfind(b"\n") + 1
