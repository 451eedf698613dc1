"""Supervisors and servers that die, freeze or race at the worst moment."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from simulations import processes, recovery, services
from simulations.models import FINISHED, RunEvent, Simulation
from simulations.supervisor import supervise
from tests.servers import eventually
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)
SLOW_END = 'begin()\nround_finished(1)\ntell("run_finished")\ntime.sleep(600)'
STEADY = "begin()\nround_finished(1)\ntime.sleep(2)\nround_finished(2)\nround_finished(3)\n"


def final_statuses(simulation: Simulation) -> list[str]:
    told = RunEvent.objects.filter(simulation=simulation, kind="status").order_by("id")
    return [event.payload["status"] for event in told if event.payload["status"] in FINISHED]


def running(simulation: Simulation) -> bool:
    simulation.refresh_from_db()
    return simulation.status == "running" and simulation.rounds_done > 0


def test_death_between_the_last_event_and_the_end_does_not_leave_it_running(
    manage: Any, new_simulation: Any
) -> None:
    simulation = new_simulation()
    queue = manage("run_queue", body=SLOW_END, stderr=subprocess.DEVNULL)
    eventually(lambda: RunEvent.objects.filter(kind="run_finished").exists())
    queue.kill()
    queue.wait()
    assert [one.simulation_id for one in recovery.recover()] == [simulation.simulation_id]
    assert final_statuses(simulation) == ["failed"]


@pytest.mark.slow
def test_a_frozen_supervisor_is_lost_once_and_ends_its_part_when_it_wakes(
    manage: Any, new_simulation: Any
) -> None:
    simulation = new_simulation()
    queue = manage("run_queue", body=f"{STEADY}time.sleep(600)", stderr=subprocess.DEVNULL)
    eventually(lambda: running(simulation))
    token = simulation.attempt_token
    queue.send_signal(signal.SIGSTOP)
    clock = iter(range(0, 10_000, 10))
    watch = recovery.Watch(lambda: float(next(clock)))
    lost = [one for _ in range(12) for one in recovery.recover(watch)]
    assert [one.simulation_id for one in lost] == [simulation.simulation_id]
    assert processes.carriers(token) == set()
    queue.send_signal(signal.SIGCONT)
    later = new_simulation()
    eventually(lambda: running(later))
    assert final_statuses(simulation) == ["failed"] and queue.poll() is None


@pytest.mark.slow
def test_a_stop_overrules_a_frozen_supervisor(manage: Any, new_simulation: Any) -> None:
    simulation = new_simulation()
    queue = manage("run_queue", body=f"{STEADY}time.sleep(600)", stderr=subprocess.DEVNULL)
    eventually(lambda: running(simulation))
    queue.send_signal(signal.SIGSTOP)
    assert services.stop(simulation).status == "stopped"
    assert processes.carriers(simulation.attempt_token) == set()
    queue.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("seed", range(6))
def test_a_stop_that_races_the_natural_end_leaves_one_end(
    shared_database: None, claimed: Any, options: Any, good: str, seed: int
) -> None:
    simulation, token = claimed()

    def run() -> None:
        supervise(simulation.pk, token, options(good))
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(random.Random(seed).uniform(0.0, 0.4))
    answers = []
    for _ in range(2):
        try:
            answers.append(services.stop(Simulation.objects.get()).status)
        except services.NotAllowed as error:
            answers.append(str(error))
    thread.join(60)
    simulation.refresh_from_db()
    assert final_statuses(simulation) == [simulation.status]
    assert simulation.status in ("completed", "stopped")
    assert answers[-1] == f"the simulation is already {simulation.status}"
    assert processes.carriers(token) == set()


def test_a_stop_of_a_run_whose_host_is_away_is_seen_when_it_is_back(
    claimed: Any, options: Any, endless: str
) -> None:
    """The wish is in the row: the supervisor, wherever it is, reads it at its next beat."""
    simulation, token = claimed()
    Simulation.objects.update(supervisor_host="elsewhere")
    assert services.stop(simulation, wait_s=0.3).status == "pending"
    supervise(simulation.pk, token, options(endless))
    simulation.refresh_from_db()
    assert simulation.status == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_does_not_notice_that_the_web_server_dies(
    web: Callable[[], WebServer], manage: Any, number: int, flat: dict[str, Any]
) -> None:
    first = web()
    queue = manage("run_queue", body=f"{STEADY}tell('run_finished')", stderr=subprocess.DEVNULL)
    flat |= {"num_of_rounds": 3, "num_of_clients": 4}
    created = first.ask("POST", "/api/simulations", flat)
    assert created.status == 201
    simulation = Simulation.objects.get()
    eventually(lambda: running(simulation))
    first.process.send_signal(number)
    first.process.wait(60)
    second = web()
    path = f"/api/simulations/{created.json['simulation_id']}/status"
    eventually(lambda: second.ask("GET", path).json["status"] == "completed")
    assert queue.poll() is None


@pytest.mark.slow
def test_two_servers_that_start_together_take_each_orphan_once(
    manage: Any, new_simulation: Any
) -> None:
    orphans = [new_simulation() for _ in range(4)]
    first = manage("run_queue", body="begin()\nround_finished(1)\ntime.sleep(600)",
                   stderr=subprocess.DEVNULL)  # fmt: skip
    eventually(lambda: running(orphans[0]))
    first.kill()
    first.wait()
    queues = [manage("run_queue", stderr=subprocess.DEVNULL) for _ in range(2)]
    eventually(lambda: not Simulation.objects.exclude(status__in=FINISHED).exists())
    assert [final_statuses(one) for one in orphans] == [["failed"], *[["completed"]] * 3]
    assert all(queue.poll() is None for queue in queues)


def test_a_grandchild_that_is_killed_is_told_by_the_engine(
    claimed: Any, options: Any, tmp_path: Path
) -> None:
    body = """\
    begin()
    child = subprocess.Popen(["sleep", "600"])
    child.kill()
    child.wait()
    tell("run_failed", error="worker 1 died while client 3 trained")
    sys.exit(5)
    """
    simulation, token = claimed()
    supervise(simulation.pk, token, options(body))
    simulation.refresh_from_db()
    assert simulation.error == "worker 1 died while client 3 trained"
