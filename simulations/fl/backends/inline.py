"""One worker in the engine's own process: for a GPU, for debugging, and where fork is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulations.fl.backends.base import Backend, Batch, Work
from simulations.fl.backends.memory import reserve
from simulations.fl.errors import FLError, TrainingError


class InlineBackend(Backend):
    """Does one task after the other."""

    num_workers = 1

    def __init__(self, work: Work, num_rows: int, folder: Path | None = None) -> None:
        self._work = work
        self.exchange = reserve(work, num_rows, folder)

    def collect(self, batch: Batch) -> list[Any]:
        return [self._perform(task) for task in batch.tasks]

    def close(self) -> None:
        """There is no worker to end."""

    def _perform(self, task: Any) -> Any:
        with failures_of(task):
            return self._work.perform(task, self.exchange)


@contextmanager
def failures_of(what: object) -> Iterator[None]:
    """Name `what` in a TrainingError, unless the error was raised on purpose."""
    try:
        yield
    except FLError:
        raise
    except Exception as error:
        raise TrainingError(f"{what} failed: {type(error).__name__}: {error}") from error
