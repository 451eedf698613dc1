"""Workers on this machine: forked once, fed one task at a time, writing into shared memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulations.fl.backends.base import Backend, Batch, Exchange, Staff, Work
from simulations.fl.backends.inline import InlineBackend
from simulations.fl.backends.joint import JointBackend
from simulations.fl.backends.memory import reserve
from simulations.fl.backends.worker import Failure, serve
from simulations.fl.errors import FLError, TrainingError

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

LAST_WORDS_S = 2.0


def start(work: Work, num_rows: int, staff: Staff) -> Backend:
    """Return the workers; one, or any number where fork is missing, works in-process."""
    if staff.at_once > 1:
        return JointBackend(work, num_rows, staff.at_once, staff.folder)
    num_workers = staff.num_workers
    can_fork = "fork" in multiprocessing.get_all_start_methods()
    if num_workers == 1 or not can_fork:
        return InlineBackend(work, num_rows, staff.folder)
    return PoolBackend(work, num_rows, num_workers, staff.folder)


@dataclass(frozen=True)
class Worker:
    """A worker process and the engine's end of the pipe to it."""

    process: ForkProcess
    pipe: Connection


class PoolBackend(Backend):
    """Persistent forked processes, which inherit the data without a copy.

    The engine must use one torch thread when it forks: a child never sees the parent's threads.
    """

    def __init__(
        self, work: Work, num_rows: int, num_workers: int, folder: Path | None = None
    ) -> None:
        self.num_workers = num_workers
        self.exchange = reserve(work, num_rows, folder)
        self._workers: list[Worker] = []
        self._waiting: deque[tuple[Batch, int]] = deque()
        self._busy: dict[Any, tuple[Worker, Batch, int]] = {}
        try:
            for _ in range(num_workers):
                self._workers.append(_fork(work, self.exchange, self._workers))
        except OSError as error:
            self.close()
            raise TrainingError(
                f"cannot start worker {len(self._workers) + 1} of {num_workers} ({error}); "
                "use fewer workers"
            ) from error
        self._idle = list(self._workers)

    def begin(self, tasks: Sequence[Any]) -> Batch:
        batch = Batch(tasks)
        largest_first = sorted(range(len(tasks)), key=lambda place: -tasks[place].size)
        self._waiting.extend((batch, place) for place in largest_first)
        self._hand_out()
        return batch

    def collect(self, batch: Batch) -> list[Any]:
        while batch.num_missing and batch.error is None:
            for pipe in wait(list(self._busy)):
                self._take(pipe)
            self._hand_out()
        if batch.error is not None:
            raise batch.error
        return batch.results

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            worker, (batch, place) = self._idle.pop(), self._waiting.popleft()
            try:
                _give(worker, batch.tasks[place])
            except TrainingError as error:
                batch.error = batch.error or error
            else:
                self._busy[worker.pipe] = worker, batch, place

    def _take(self, pipe: Any) -> None:
        """Keep what a worker answers for the batch it belongs to, be it an error."""
        worker, batch, place = self._busy.pop(pipe)
        try:
            batch.results[place] = _receive(worker, batch.tasks[place])
        except FLError as error:
            batch.error = batch.error or error
        batch.num_missing -= 1
        self._idle.append(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.process.close()
            worker.pipe.close()
        self._workers.clear()


def _fork(work: Work, exchange: Exchange, earlier: Sequence[Worker]) -> Worker:
    context = multiprocessing.get_context("fork")
    engine_end, worker_end = context.Pipe()
    foreign = [engine_end, *(worker.pipe for worker in earlier)]
    # The kernel's death signal follows the thread that forked, which may end before the engine.
    in_main_thread = threading.current_thread() is threading.main_thread()
    engine_pid = os.getpid() if in_main_thread else None
    process = context.Process(
        target=serve, args=(work, exchange, worker_end, foreign, engine_pid), daemon=True
    )
    process.start()
    worker_end.close()
    return Worker(process, engine_end)


def _give(worker: Worker, task: Any) -> None:
    try:
        worker.pipe.send(task)
    except ConnectionError:
        raise TrainingError(f"{task} could not begin: {_end_of(worker)}") from None


def _receive(worker: Worker, task: Any) -> Any:
    try:
        result = worker.pipe.recv()
    except (EOFError, ConnectionError):
        raise TrainingError(f"{task} was lost: {_end_of(worker)}") from None
    if isinstance(result, Failure):
        raise result.as_error(task)
    return result


def _end_of(worker: Worker) -> str:
    worker.process.join(LAST_WORDS_S)
    code = worker.process.exitcode
    if code is None:
        return "its worker process closed its pipe"
    if code >= 0:
        return f"its worker process ended with exit code {code}"
    cause = "; the system may be out of memory" if -code == signal.SIGKILL else ""
    return f"its worker process was ended by {signal.Signals(-code).name}{cause}"
