from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from simulations.fl.backends.base import Backend, Exchange, Staff
from simulations.fl.backends.inline import InlineBackend
from simulations.fl.backends.local import PoolBackend, start
from simulations.fl.errors import StorageError, TrainingError
from tests.servers import eventually


@dataclass(frozen=True)
class Job:
    """Do `action` after `seconds`; put `number` into row `number`.

    The shared integer becomes `sets` at least, and `awaits` at least is waited for.
    """

    number: int
    size: int = 1
    seconds: float = 0.0
    action: str = "add"
    sets: int = 0
    awaits: int = 0

    def __str__(self) -> str:
        return f"job {self.number}"


class Adder:
    device = torch.device("cpu")
    num_parameters = 3
    num_integers = 1

    def perform(self, job: Job, exchange: Exchange) -> Any:
        began = time.monotonic()
        time.sleep(job.seconds)
        if job.sets > int(exchange.integers[0]):
            exchange.integers.fill_(job.sets)
        while job.awaits > int(exchange.integers[0]):
            time.sleep(0.01)
        if job.action == "fail":
            raise ValueError("no such thing")
        if job.action == "full":
            raise StorageError("the disk is full")
        if job.action == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.action == "exit":
            os._exit(3)
        exchange.updates[job.number].copy_(exchange.vector + job.number)
        counter = int(exchange.integers[0])
        return {"number": job.number, "pid": os.getpid(), "counter": counter, "began": began}

    def train_together(self, tasks: Sequence[Job], exchange: Exchange) -> list[Any]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pool() -> Iterator[Backend]:
    with PoolBackend(Adder(), num_rows=8, num_workers=2) as backend:
        yield backend


@pytest.mark.parametrize("num_workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_tasks_and_rows_are_written(num_workers: int) -> None:
    with start(Adder(), 8, Staff(num_workers, 1, 0.0, Adder)) as backend:
        backend.exchange.vector.copy_(torch.tensor([1.0, 2.0, 3.0]))
        backend.exchange.integers.fill_(41)
        results = backend.run([Job(i, size=i, seconds=0.002 * (i % 3)) for i in range(8)])
        assert [result["number"] for result in results] == list(range(8))
        assert {result["counter"] for result in results} == {41}
        expected = torch.arange(8.0)[:, None] + torch.tensor([1.0, 2.0, 3.0])
        assert torch.equal(backend.exchange.updates, expected)
        backend.exchange.vector.zero_()
        backend.run([Job(5)])
        assert backend.exchange.updates[5].tolist() == [5.0, 5.0, 5.0]


def test_what_was_begun_first_is_done_first_and_the_next_need_not_be_waited_for(
    pool: Backend,
) -> None:
    pool.exchange.vector.fill_(1.0)
    # The first cannot end before a worker has begun the second, nor the second before it is let.
    first = pool.begin([Job(0), Job(1), Job(2, awaits=1)])
    second = pool.begin([Job(i, size=100, sets=1, awaits=2) for i in range(3, 6)])
    assert [result["number"] for result in pool.collect(first)] == [0, 1, 2]
    assert pool.exchange.updates[:, 0].tolist() == [1, 2, 3, 0, 0, 0, 0, 0]
    pool.exchange.integers.fill_(2)
    assert [result["number"] for result in pool.collect(second)] == [3, 4, 5]
    assert pool.exchange.updates[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 0, 0]


@pytest.mark.parametrize("action", ["fail", "die"])
@pytest.mark.parametrize("num_workers", [1, 2])
def test_an_error_belongs_to_those_it_was_begun_with(num_workers: int, action: str) -> None:
    if num_workers == 1 and action == "die":
        pytest.skip("it would be this process")
    with start(Adder(), 8, Staff(num_workers, 1, 0.0, Adder)) as backend:
        first = backend.begin([Job(0), Job(1, seconds=0.3)])
        second = backend.begin([Job(2, action=action), Job(3)])
        assert [result["number"] for result in backend.collect(first)] == [0, 1]
        with pytest.raises(TrainingError, match="job 2"):
            backend.collect(second)


def test_one_worker_needs_no_process() -> None:
    backend = start(Adder(), 2, Staff(1, 1, 0.0, Adder))
    assert isinstance(backend, InlineBackend)
    assert backend.run([Job(0)])[0]["pid"] == os.getpid()


def test_workers_are_other_processes_that_stay(pool: Backend) -> None:
    jobs = [Job(i, seconds=0.05) for i in range(4)]
    first, second = ({r["pid"] for r in pool.run(jobs)} for _ in range(2))
    assert first == second
    assert len(first) == 2 and os.getpid() not in first


def test_all_workers_work_at_once(pool: Backend) -> None:
    pool.run([Job(0, size=2, awaits=1), Job(1, sets=1)])


def test_the_largest_task_is_begun_first() -> None:
    with PoolBackend(Adder(), num_rows=8, num_workers=1) as backend:
        results = backend.run([Job(0, size=1), Job(1, size=2), Job(2, size=1), Job(3, size=3)])
    in_order = sorted(results, key=lambda result: result["began"])
    assert [result["number"] for result in in_order] == [3, 1, 0, 2]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_failing_task_is_named_with_its_reason(num_workers: int) -> None:
    with start(Adder(), 8, Staff(num_workers, 1, 0.0, Adder)) as backend:
        with pytest.raises(
            TrainingError, match="job 2 failed: ValueError: no such thing"
        ) as caught:
            backend.run([Job(0), Job(2, action="fail"), Job(3)])
        trace = caught.value.__cause__ or "".join(caught.value.__notes__)
        assert "no such thing" in str(trace)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_an_error_raised_on_purpose_keeps_its_kind(num_workers: int) -> None:
    with (
        start(Adder(), 8, Staff(num_workers, 1, 0.0, Adder)) as backend,
        pytest.raises(StorageError, match="the disk is full"),
    ):
        backend.run([Job(0), Job(2, action="full")])


@pytest.mark.parametrize(
    ("action", "end"), [("die", "ended by SIGKILL; .* out of memory"), ("exit", "exit code 3")]
)
def test_a_dead_worker_is_an_error_that_names_its_task(
    pool: Backend, action: str, end: str
) -> None:
    with pytest.raises(TrainingError, match=f"job 4 was lost: its worker process .*{end}"):
        pool.run([Job(1, seconds=0.1), Job(4, action=action), Job(5, seconds=0.1)])


def test_a_worker_killed_while_idle_is_noticed(pool: Backend) -> None:
    pids = {r["pid"] for r in pool.run([Job(i, seconds=0.05) for i in range(4)])}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(TrainingError, match="job 0"):
        pool.run([Job(0)])


def test_closing_ends_workers_that_are_busy() -> None:
    backend = PoolBackend(Adder(), 8, 2)
    pids = {r["pid"] for r in backend.run([Job(i, seconds=0.05) for i in range(4)])}
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), backend:
            backend.run([Job(i, seconds=60) for i in range(4)])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_memory_and_descriptors_are_given_back() -> None:
    def open_files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    for _ in range(3):
        with PoolBackend(Adder(), 8, 2) as backend:
            backend.run([Job(0)])
    assert open_files() == before


ORPHANS = """\
import os, sys, threading, time
sys.path.insert(0, {tests!r})
import torch
from test_local_orphans import Adder, Job
from simulations.fl.backends.local import PoolBackend
torch.set_num_threads(1)

def work():
    backend = PoolBackend(Adder(), 8, 2)
    pids = {{r["pid"] for r in backend.run([Job(i, seconds=0.1) for i in range(4)])}}
    print(*pids, flush=True)
    backend.run([Job(i, seconds={seconds}) for i in range(4)])

{call}
"""


@pytest.mark.parametrize(
    ("call", "seconds"),
    [("work()", 600.0), ("t = threading.Thread(target=work); t.start(); t.join()", 1.0)],
)
def test_workers_die_with_the_engine(tmp_path: Path, call: str, seconds: float) -> None:
    (tmp_path / "test_local_orphans.py").write_text(Path(__file__).read_text())
    code = ORPHANS.format(tests=str(tmp_path), seconds=seconds, call=call)
    engine = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    with engine.stdout:
        pids = [int(pid) for pid in engine.stdout.readline().split()]
    assert len(pids) == 2
    time.sleep(0.2)
    engine.kill()
    engine.wait()
    eventually(lambda: not any(is_running(pid) for pid in pids))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
