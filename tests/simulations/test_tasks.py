from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import Reject
from django.db import connections

from intellifl.celery import app
from simulations import attempt, lifecycle, tasks, worker
from simulations.dispatch import RUN
from simulations.models import Simulation
from simulations.process_identity import this_process

pytestmark = pytest.mark.django_db(transaction=True)
New = Callable[..., Simulation]


@pytest.fixture
def starts(engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Use an engine that completes at once; return the count of its starts."""
    told = tmp_path / "starts"
    command = engine(f"open({str(told)!r}, 'a').write('x'); tell('run_finished')")
    monkeypatch.setattr(attempt, "engine_command", lambda simulation: command)
    monkeypatch.setattr(attempt, "artifacts_command", lambda simulation_id: ["true"])
    return lambda: len(told.read_text()) if told.exists() else 0


def state(simulation: Simulation) -> tuple[str, int]:
    simulation.refresh_from_db()
    return simulation.status, simulation.attempt


def test_the_name_that_is_published_is_the_name_of_the_task() -> None:
    assert app.tasks[RUN].run is tasks.run


def test_a_message_runs_the_simulation(new_simulation: New, starts: Callable[[], int]) -> None:
    simulation = new_simulation()
    tasks.run(simulation.pk, 0)
    assert (state(simulation), starts()) == (("completed", 1), 1)
    assert simulation.supervisor_pid == this_process().pid


def test_a_second_message_runs_nothing(
    new_simulation: New, starts: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "simulations.tasks")
    simulation = new_simulation()
    tasks.run(simulation.pk, 0)
    tasks.run(simulation.pk, 0)
    assert (state(simulation), starts()) == (("completed", 1), 1)
    assert (
        "attempt 1 of" in caplog.text and "is ignored: the simulation is completed" in caplog.text
    )


def test_of_messages_at_the_same_time_one_runs(
    new_simulation: New, starts: Callable[[], int]
) -> None:
    simulation = new_simulation()
    barrier = threading.Barrier(4)

    def run() -> None:
        barrier.wait()
        tasks.run(simulation.pk, 0)
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (state(simulation), starts()) == (("completed", 1), 1)


def test_a_message_for_a_claimed_simulation_runs_nothing(
    claimed: Callable[..., tuple[Simulation, str]], starts: Callable[[], int]
) -> None:
    simulation, token = claimed()
    tasks.run(simulation.pk, 0)
    tasks.run(simulation.pk, 1)
    assert (state(simulation), starts()) == (("pending", 1), 0)
    assert simulation.attempt_token == token


def test_a_message_for_a_stopped_or_deleted_simulation_runs_nothing(
    new_simulation: New, starts: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "simulations.tasks")
    simulation = new_simulation()
    lifecycle.stop(simulation.pk)
    tasks.run(simulation.pk, 0)
    assert state(simulation) == ("stopped", 0)
    pk = simulation.pk
    simulation.delete()
    tasks.run(pk, 0)
    assert "it was deleted" in caplog.text
    assert starts() == 0


def test_a_message_of_an_earlier_attempt_runs_nothing(
    new_simulation: New, starts: Callable[[], int]
) -> None:
    simulation = new_simulation()
    Simulation.objects.filter(pk=simulation.pk).update(attempt=1)
    tasks.run(simulation.pk, 0)
    assert (state(simulation), starts()) == (("queued", 1), 0)
    tasks.run(simulation.pk, 1)
    assert (state(simulation), starts()) == (("completed", 2), 1)


@pytest.mark.parametrize("arguments", [("1", 0), (1, None), (True, 0), (1.0, 0), ([1], {})])
def test_arguments_of_another_kind_are_rejected(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(Reject, match="takes two integers"):
        tasks.run(*arguments)


def test_a_worker_that_ends_starts_nothing_more(
    new_simulation: New, starts: Callable[[], int]
) -> None:
    simulation = new_simulation()
    worker._is_closing.set()
    try:
        tasks.run(simulation.pk, 0)
    finally:
        worker._is_closing.clear()
    assert (state(simulation), starts()) == (("queued", 0), 0)
