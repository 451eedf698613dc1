from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections

from simulations import lifecycle, local_queue, processes, recovery
from simulations.local_queue import LocalQueue
from simulations.models import RoundMetrics, RunEvent, Simulation
from tests.servers import eventually

pytestmark = pytest.mark.django_db(transaction=True)
New = Callable[..., Simulation]
BRIEF = """\
begin()
round_finished(1)
time.sleep(0.3)
tell("run_finished")
"""


@pytest.fixture
def queue(options: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LocalQueue]]:
    """Return a starter of queues; all are shut down at the end of the test."""
    monkeypatch.setattr(local_queue, "POLL_S", 0.02)
    started: list[tuple[LocalQueue, threading.Thread]] = []

    def start(body: str, concurrency: int = 1, **changes: Any) -> LocalQueue:
        queue = LocalQueue(concurrency, options(body, **changes))

        def work() -> None:
            queue.run()
            connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        started.append((queue, thread))
        return queue

    yield start
    for queue, _ in started:
        queue.shut_down()
    for _, thread in started:
        thread.join(60)
        assert not thread.is_alive()


def statuses() -> list[str]:
    return list(Simulation.objects.order_by("id").values_list("status", flat=True))


def count_of(status: str) -> int:
    return Simulation.objects.filter(status=status).count()


def started_pks() -> list[int]:
    events = RunEvent.objects.filter(kind="status", payload__status="running")
    return list(events.order_by("id").values_list("simulation_id", flat=True))


def test_queued_simulations_run_first_in_first_out(
    new_simulation: New, queue: Any, good: str
) -> None:
    pks = [new_simulation().pk for _ in range(3)]
    first = Simulation.objects.get(pk=pks[2])
    Simulation.objects.filter(pk=pks[2]).update(queued_at=first.queued_at - timedelta(hours=1))
    queue(good)
    eventually(lambda: statuses() == ["completed"] * 3)
    assert started_pks() == [pks[2], pks[0], pks[1]]


def test_simulations_queued_at_one_moment_run_in_order_of_id(
    new_simulation: New, queue: Any, good: str
) -> None:
    pks = [new_simulation().pk for _ in range(3)]
    Simulation.objects.update(queued_at=Simulation.objects.get(pk=pks[1]).queued_at)
    queue(good)
    eventually(lambda: statuses() == ["completed"] * 3)
    assert started_pks() == pks


@pytest.mark.parametrize("concurrency", [1, 2])
def test_so_many_run_at_once_and_no_more(
    new_simulation: New, queue: Any, endless: str, concurrency: int
) -> None:
    for _ in range(3):
        new_simulation()
    queue(endless, concurrency)
    eventually(lambda: RoundMetrics.objects.count() == concurrency)
    time.sleep(0.3)
    assert statuses() == ["running"] * concurrency + ["queued"] * (3 - concurrency)


def test_the_next_starts_when_one_ends(new_simulation: New, queue: Any) -> None:
    for _ in range(4):
        new_simulation()
    queue(BRIEF, 2)
    eventually(lambda: count_of("completed") == 4)


def test_a_failed_run_does_not_stop_the_queue(new_simulation: New, queue: Any) -> None:
    for _ in range(2):
        new_simulation()
    queue("os.kill(os.getpid(), 9)")
    eventually(lambda: statuses() == ["failed", "failed"])


def test_a_simulation_queued_later_is_taken(new_simulation: New, queue: Any, endless: str) -> None:
    queue(endless)
    time.sleep(0.2)
    new_simulation()
    eventually(lambda: statuses() == ["running"])


def test_shutting_down_ends_and_fails_what_runs_and_keeps_what_waits(
    new_simulation: New, queue: Any
) -> None:
    for _ in range(2):
        new_simulation()
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nbegin()\nround_finished(1)\n"
    working = queue(f"{stubborn}time.sleep(600)")
    eventually(RoundMetrics.objects.exists)
    working.shut_down()
    eventually(lambda: statuses() == ["failed", "queued"])
    assert Simulation.objects.order_by("id")[0].error == (
        "interrupted: the local queue was shut down"
    )
    token = Simulation.objects.order_by("id")[0].attempt_token
    assert processes.carriers(token) == set()


@pytest.mark.slow
def test_two_queues_run_nothing_twice(new_simulation: New, manage: Any, good: str) -> None:
    for _ in range(6):
        new_simulation()
    queues = [manage("run_queue", body=good) for _ in range(2)]
    eventually(lambda: count_of("completed") == 6)
    for process in queues:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(60) for process in queues] == [0, 0]
    assert sorted(started_pks()) == sorted(Simulation.objects.values_list("pk", flat=True))
    assert set(Simulation.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_and_every_process(
    new_simulation: New, manage: Any, number: int
) -> None:
    for _ in range(2):
        new_simulation()
    body = """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["setsid", "sleep", "613"])
    begin()
    round_finished(1)
    time.sleep(600)
    """
    process = manage("run_queue", body=body)
    eventually(RoundMetrics.objects.exists)
    token = Simulation.objects.order_by("id")[0].attempt_token
    assert len(processes.carriers(token)) == 3
    process.send_signal(number)
    assert process.wait(60) == 0
    assert processes.carriers(token) == set()
    assert statuses() == ["failed", "queued"]


@pytest.mark.slow
def test_a_queue_killed_hard_is_recovered_once_and_the_rest_runs_later(
    new_simulation: New, manage: Any, endless: str, good: str
) -> None:
    for _ in range(2):
        new_simulation()
    body = endless.replace("begin()", 'subprocess.Popen(["setsid", "sleep", "614"])\nbegin()')
    process = manage("run_queue", body=body)
    eventually(RoundMetrics.objects.exists)
    token = Simulation.objects.order_by("id")[0].attempt_token
    process.kill()
    process.wait()
    assert statuses() == ["running", "queued"]
    manage("run_queue", body=good)
    eventually(lambda: statuses() == ["failed", "completed"])
    assert processes.carriers(token) == set()
    assert "is gone" in Simulation.objects.order_by("id")[0].error
    assert recovery.recover() == []
    failures = RunEvent.objects.filter(kind="status", payload__status="failed")
    assert failures.count() == 1


def test_a_run_whose_thread_is_gone_is_failed(claimed: Any, queue: Any, good: str) -> None:
    claimed()
    queue(good)
    eventually(lambda: statuses() == ["failed"])
    assert "thread" in Simulation.objects.get().error


def test_a_database_that_is_away_for_a_moment_does_not_end_the_queue(
    new_simulation: New, queue: Any, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = lifecycle.claim, iter([True] * 3)

    def claim(*args: Any) -> bool:
        if next(failures, False):
            raise DatabaseError("database is locked")
        return real(*args)

    monkeypatch.setattr(lifecycle, "claim", claim)
    new_simulation()
    queue(good)
    eventually(lambda: statuses() == ["completed"])
