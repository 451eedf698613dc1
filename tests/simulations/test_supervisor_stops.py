"""Runs that are stopped, interrupted or lost end at once, and leave no process."""

from __future__ import annotations

import os
import signal
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connections

from simulations import lifecycle, processes
from simulations.attempt import Options, failure
from simulations.models import RoundMetrics, Simulation, Status
from simulations.supervisor import supervise
from tests.servers import eventually
from tests.simulations.supervised import Claimed, InThread, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stop_request_ends_the_run(
    claimed: Claimed, options: Any, endless: str, status_file: Any, in_thread: InThread
) -> None:
    simulation, token = claimed()
    thread = in_thread(supervise, simulation.pk, token, options(endless))
    eventually(RoundMetrics.objects.exists)
    lifecycle.request_stop(simulation.pk)
    thread.join(60)
    simulation.refresh_from_db()
    assert simulation.status == "stopped" and simulation.error == ""
    assert processes.carriers(token) == set()
    assert status_file(simulation)["status"] == "stopped"
    assert status_file(simulation)["current_round"] == 1


def test_a_stop_before_the_start_starts_no_engine(
    claimed: Claimed, options: Any, out_dir: Any
) -> None:
    simulation, token = claimed()
    lifecycle.request_stop(simulation.pk)
    assert run(simulation, token, options("")).status == "stopped"
    assert not (out_dir / simulation.simulation_id / "output.log").exists()


HOSTILE = {
    "ignores SIGTERM": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "setsid": "subprocess.Popen(['setsid', 'sleep', '611'])",
    "nohup": "subprocess.Popen(['nohup', 'sleep', '611'], stdout=2)",
    "double fork": """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(611)
        os._exit(0)
    """,
    "no cookie": "subprocess.Popen(['sh', '-c', 'setsid sleep 611 &'], env={}).wait()",
    "forks without end": """
    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if os.fork():
                time.sleep(0.02)
                os._exit(0)
    """,
    "stopped": """
    if os.fork() == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
    """,
}


def running(command: list[str]) -> list[int]:
    return [one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == command]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_process_of_a_hostile_run_survives_a_stop(
    claimed: Claimed, options: Any, engine: Any, name: str, in_thread: InThread
) -> None:
    simulation, token = claimed()
    nap = f"611.{time.time_ns() % 1_000_000_000}"
    body = textwrap.dedent(HOSTILE[name]).replace("611", nap)
    hostile = options(body + "\nbegin()\ntime.sleep(0.2)\nround_finished(1)\ntime.sleep(600)")
    thread = in_thread(supervise, simulation.pk, token, hostile)
    eventually(RoundMetrics.objects.exists)
    lifecycle.request_stop(simulation.pk)
    thread.join(60)
    simulation.refresh_from_db()
    assert simulation.status == "stopped" and not thread.is_alive()
    assert processes.carriers(token) == set() and running(["sleep", nap]) == []


@pytest.mark.parametrize("last_words", ['tell("run_finished")', "os.kill(os.getpid(), 9)"])
def test_strays_of_an_engine_that_ended_are_killed(
    claimed: Claimed, options: Any, last_words: str
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(f"{HOSTILE['setsid']}; time.sleep(0.1); {last_words}"))
    assert simulation.status == ("completed" if "finished" in last_words else "failed")
    assert processes.carriers(token) == set()


def test_an_attempt_that_lost_its_row_kills_the_engine_and_changes_nothing(
    claimed: Claimed, options: Any, endless: str, in_thread: InThread
) -> None:
    simulation, token = claimed()
    thread = in_thread(supervise, simulation.pk, token, options(endless))
    eventually(RoundMetrics.objects.exists)
    Simulation.objects.filter(pk=simulation.pk).update(attempt_token="another")
    thread.join(60)
    simulation.refresh_from_db()
    assert simulation.status == "running" and not thread.is_alive()
    assert processes.carriers(token) == set()


def test_a_simulation_that_was_deleted_while_running_leaves_nothing(
    claimed: Claimed, options: Any, endless: str, out_dir: Any, in_thread: InThread
) -> None:
    simulation, token = claimed()
    thread = in_thread(supervise, simulation.pk, token, options(endless))
    eventually(RoundMetrics.objects.exists)
    Simulation.objects.filter(pk=simulation.pk).delete()
    thread.join(60)
    assert not thread.is_alive() and processes.carriers(token) == set()


def test_an_interruption_ends_with_its_reason(claimed: Claimed, options: Any, endless: str) -> None:
    simulation, token = claimed()
    run(simulation, token, options(endless, interrupted=lambda: failure("the lights went out")))
    assert (simulation.status, simulation.error) == ("failed", "the lights went out")


def test_a_stop_while_artifacts_are_built_ends_the_builder(
    claimed: Claimed, options: Any, good: str, in_thread: InThread, tmp_path: Path
) -> None:
    """The results of what was stopped are built after that, by a second builder."""
    simulation, token = claimed()
    first = tmp_path / "first"
    builder = f"[ -e {first} ] || {{ touch {first}; sleep 612; }}"
    slow = options(good, artifacts=["sh", "-c", builder])
    thread = in_thread(supervise, simulation.pk, token, slow)
    eventually(first.exists)
    lifecycle.request_stop(simulation.pk)
    thread.join(60)
    simulation.refresh_from_db()
    assert simulation.status == "stopped" and processes.carriers(token) == set()


def test_the_engine_dies_with_its_supervisor(claimed: Claimed, options: Any, endless: str) -> None:
    simulation, token = claimed()
    connections.close_all()  # before: two processes cannot share a connection
    pid = os.fork()
    if pid == 0:
        supervise(simulation.pk, token, options(endless))
        os._exit(0)
    try:
        eventually(lambda: len(processes.carriers(token)) == 2)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    eventually(lambda: processes.carriers(token) == set())


def test_a_failure_of_the_supervisor_itself_ends_the_run(
    claimed: Claimed, options: Any, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def observe(event: object) -> None:
        raise RuntimeError("bar is broken")

    simulation, token = claimed()
    run(simulation, token, options(endless, observe=observe))
    assert simulation.status == "failed" and "bar is broken" in simulation.error
    assert processes.carriers(token) == set()


def test_keyboard_interrupt_stops_at_once_and_is_passed_on(
    claimed: Claimed, options: Any, endless: str
) -> None:
    def observe(event: object) -> None:
        raise KeyboardInterrupt

    simulation, token = claimed()
    with pytest.raises(KeyboardInterrupt):
        supervise(simulation.pk, token, options(endless, observe=observe))
    simulation.refresh_from_db()
    assert simulation.status == Status.STOPPED and processes.carriers(token) == set()


@pytest.mark.slow
def test_stopping_the_real_engine_leaves_no_worker(
    shared_database: None, claimed: Claimed, in_thread: InThread
) -> None:
    simulation, token = claimed(num_of_rounds=1000)
    thread = in_thread(supervise, simulation.pk, token, Options())
    eventually(RoundMetrics.objects.exists, 120)
    lifecycle.request_stop(simulation.pk)
    thread.join(60)
    simulation.refresh_from_db()
    assert simulation.status == "stopped" and not thread.is_alive()
    assert processes.carriers(token) == set()
