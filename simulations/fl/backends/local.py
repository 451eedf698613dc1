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
from typing import TYPE_CHECKING, Any

from simulations.fl.backends.base import Backend, Exchange, Staff, Work
from simulations.fl.backends.inline import InlineBackend
from simulations.fl.backends.memory import shared_exchange
from simulations.fl.backends.worker import Failure, serve
from simulations.fl.errors import TrainingError

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

LAST_WORDS_S = 2.0


def start(work: Work, num_rows: int, staff: Staff) -> Backend:
    """Return the workers; one, or any number where fork is missing, works in-process."""
    num_workers = staff.num_workers
    can_fork = "fork" in multiprocessing.get_all_start_methods()
    if num_workers == 1 or not can_fork:
        return InlineBackend(work, num_rows)
    return PoolBackend(work, num_rows, num_workers)


@dataclass(frozen=True)
class Worker:
    """A worker process and the engine's end of the pipe to it."""

    process: ForkProcess
    pipe: Connection


class PoolBackend(Backend):
    """Persistent forked processes, which inherit the data without a copy.

    The engine must use one torch thread when it forks: a child never sees the parent's threads.
    """

    def __init__(self, work: Work, num_rows: int, num_workers: int) -> None:
        self.num_workers = num_workers
        self.exchange = shared_exchange(work, num_rows)
        self._workers: list[Worker] = []
        try:
            for _ in range(num_workers):
                self._workers.append(_fork(work, self.exchange, self._workers))
        except OSError as error:
            self.close()
            raise TrainingError(
                f"cannot start worker {len(self._workers) + 1} of {num_workers} ({error}); "
                "use fewer workers"
            ) from error

    def run(self, tasks: Sequence[Any]) -> list[Any]:
        results: list[Any] = [None] * len(tasks)
        waiting = deque(sorted(range(len(tasks)), key=lambda index: -tasks[index].size))
        idle = list(self._workers)
        busy: dict[Any, tuple[Worker, int]] = {}
        while waiting or busy:
            while waiting and idle:
                worker, index = idle.pop(), waiting.popleft()
                _give(worker, tasks[index])
                busy[worker.pipe] = worker, index
            for pipe in wait(list(busy)):
                worker, index = busy.pop(pipe)
                results[index] = _receive(worker, tasks[index])
                idle.append(worker)
        return results

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
