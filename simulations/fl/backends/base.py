"""What a backend is: the place where the tasks of a round are done, by one worker or many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor

    from simulations.fl.errors import FLError


class Task(Protocol):
    """One piece of work, a small picklable value; its text says what is done for whom."""

    @property
    def size(self) -> int:
        """Samples to be computed; the largest task is handed out first."""


@dataclass(frozen=True)
class Exchange:
    """What the engine and all workers share.

    `vector` (d,) and `integers` (k,) are the global model, written by the engine only; row i of
    `updates` (n, d) is written by the worker whose task names that row.
    """

    vector: Tensor
    integers: Tensor
    updates: Tensor


class Work(Protocol):
    """All that a worker needs to do any task of one strategy."""

    @property
    def device(self) -> torch.device: ...

    @property
    def num_parameters(self) -> int: ...

    @property
    def num_integers(self) -> int: ...

    def perform(self, task: Any, exchange: Exchange) -> Any:
        """Do `task`; return its result, a small picklable value."""

    def train_together(self, tasks: Sequence[Any], exchange: Exchange) -> list[Any]:
        """Train clients of one round at once; asked only of work for which `Staff` says so."""


@dataclass(frozen=True)
class Staff:
    """How many workers there shall be, what each may use, and what those elsewhere begin with.

    `rebuild` builds the work once more in another process; it can be pickled. Where the work can
    train clients together, one worker trains `at_once` of them. Updates that memory has no room
    for go to `folder`.
    """

    num_workers: int
    cpus_per_client: int
    gpus_per_client: float
    rebuild: Callable[[], Work]
    at_once: int = 1
    folder: Path | None = None


class Batch:
    """Tasks that were begun together; `results` are in their order."""

    def __init__(self, tasks: Sequence[Any]) -> None:
        self.tasks = tasks
        self.results: list[Any] = [None] * len(tasks)
        self.num_missing = len(tasks)
        self.error: FLError | None = None


class Backend(ABC):
    """Workers of one strategy; as a context manager it leaves none behind."""

    exchange: Exchange
    num_workers: int

    def begin(self, tasks: Sequence[Any]) -> Batch:
        """Have `tasks` done after all begun before, without waiting; at the latest when collected.

        Until then they read the global model and write their rows of the updates.
        """
        return Batch(tasks)

    @abstractmethod
    def collect(self, batch: Batch) -> list[Any]:
        """Wait for the tasks of `batch`; return their results in the order of the tasks.

        Results do not depend on the number of workers. Raises TrainingError, naming the task, when
        one fails or its worker dies; an FLError that the work raised is raised again.
        """

    def run(self, tasks: Sequence[Any]) -> list[Any]:
        """Begin `tasks` and collect them."""
        return self.collect(self.begin(tasks))

    @abstractmethod
    def close(self) -> None:
        """End every worker, whatever it is doing."""

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()
