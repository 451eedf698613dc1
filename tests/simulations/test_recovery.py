from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.db import connections
from django.utils import timezone

from simulations import lifecycle, processes, recovery
from simulations.models import RunEvent, Simulation, Status
from simulations.process_identity import Identity, boot_id, create_time, this_process
from simulations.recovery import recover

pytestmark = pytest.mark.django_db
Claimed = Callable[..., tuple[Simulation, str]]


def dead_process() -> Identity:
    child = subprocess.Popen(["sleep", "600"])
    identity = Identity(boot_id(), child.pid, create_time(psutil.Process(child.pid)))
    child.kill()
    child.wait()
    return identity


def supervised_by(identity: Identity, simulation: Simulation) -> None:
    Simulation.objects.filter(pk=simulation.pk).update(
        supervisor_boot_id=identity.boot_id,
        supervisor_pid=identity.pid,
        supervisor_started=identity.create_time,
    )


def silent_for(seconds: float) -> None:
    Simulation.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=seconds))


def test_a_living_supervisor_is_left_alone_however_long_it_is_silent(claimed: Claimed) -> None:
    claimed()
    silent_for(100_000)
    assert recover() == []


def test_a_dead_supervisor_fails_the_run_with_the_reason(
    claimed: Claimed, status_file: Any
) -> None:
    simulation, token = claimed()
    lifecycle.start(simulation.pk, token)
    supervised_by(dead_process(), simulation)
    (one,) = recover()
    simulation.refresh_from_db()
    assert one == recovery.Recovered(simulation.simulation_id, Status.FAILED, simulation.error)
    assert simulation.status == "failed" and "is gone" in simulation.error
    assert status_file(simulation)["status"] == "failed"
    assert recover() == []


def test_death_before_the_first_beat_is_seen(claimed: Claimed) -> None:
    simulation, _ = claimed()
    supervised_by(dead_process(), simulation)
    Simulation.objects.update(heartbeat_at=None)
    assert len(recover()) == 1


def test_a_zombie_supervisor_is_dead(claimed: Claimed) -> None:
    simulation, _ = claimed()
    child = subprocess.Popen(["sleep", "600"])
    identity = Identity(boot_id(), child.pid, create_time(psutil.Process(child.pid)))
    supervised_by(identity, simulation)
    assert recover() == []
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert len(recover()) == 1
    child.wait()


def test_a_process_with_the_pid_of_the_supervisor_is_not_it_and_not_harmed(
    claimed: Claimed,
) -> None:
    simulation, _ = claimed()
    stranger = subprocess.Popen(["sleep", "600"])
    supervised_by(Identity(boot_id(), stranger.pid, 1.0), simulation)
    assert len(recover()) == 1
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_restart_of_the_machine_is_named(claimed: Claimed) -> None:
    simulation, _ = claimed()
    me = this_process()
    supervised_by(Identity("another boot", me.pid, me.create_time), simulation)
    (one,) = recover()
    assert "restarted" in one.reason


def test_processes_left_by_the_dead_are_killed(claimed: Claimed) -> None:
    simulation, token = claimed()
    supervised_by(dead_process(), simulation)
    stray = processes.spawn(["sleep", "600"], token)
    assert len(recover()) == 1
    assert stray.wait(60) < 0 and processes.carriers(token) == set()


def test_another_host_is_judged_by_its_heartbeat(claimed: Claimed) -> None:
    simulation, _ = claimed()
    supervised_by(dead_process(), simulation)
    Simulation.objects.update(supervisor_host="elsewhere")
    silent_for(50)
    assert recover() == []
    silent_for(70)
    (one,) = recover()
    assert "elsewhere" in one.reason and "silent" in one.reason


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def looked(watch: recovery.Watch, clock: Clock, seconds: float, step: float = 5.0) -> list[Any]:
    """Look every `step` seconds for `seconds`; return all that was recovered."""
    recovered = []
    for _ in range(int(seconds / step)):
        clock.now += step
        recovered += recover(watch)
    return recovered


def test_a_frozen_supervisor_is_lost_after_a_minute_of_watching(claimed: Claimed) -> None:
    claimed()
    clock = Clock()
    watch = recovery.Watch(clock)
    assert recover(watch) == [] and looked(watch, clock, 60) == []
    (one,) = looked(watch, clock, 10)
    assert one.status == Status.FAILED and "silent" in one.reason


def test_a_beat_ends_the_silence(claimed: Claimed) -> None:
    simulation, token = claimed()
    clock = Clock()
    watch = recovery.Watch(clock)
    assert looked(watch, clock, 55) == []
    lifecycle.beat(simulation.pk, token)
    assert looked(watch, clock, 60) == []


@pytest.mark.parametrize("host_name", ["elsewhere", None])
def test_a_clock_that_was_set_loses_no_run(claimed: Claimed, host_name: str | None) -> None:
    claimed()
    if host_name:
        Simulation.objects.update(supervisor_host=host_name)
    watch = recovery.Watch(Clock())
    for seconds in (-3600, 3600, 100_000):
        silent_for(seconds)
        assert recover(watch) == []


def test_the_sleep_of_the_machine_is_no_silence(claimed: Claimed) -> None:
    claimed()
    clock = Clock()
    watch = recovery.Watch(clock)
    recover(watch)
    clock.now += 8 * 3600
    assert recover(watch) == []
    clock.now += 1
    assert recover(watch) == []


def test_a_run_that_should_stop_is_stopped_when_its_supervisor_is_dead(claimed: Claimed) -> None:
    simulation, _ = claimed()
    lifecycle.request_stop(simulation.pk)
    supervised_by(dead_process(), simulation)
    (one,) = recover()
    assert one.status == Status.STOPPED
    assert Simulation.objects.get().status == "stopped"


def test_another_host_that_died_before_its_first_beat_is_judged_by_its_start(
    claimed: Claimed,
) -> None:
    claimed()
    Simulation.objects.update(supervisor_host="elsewhere", heartbeat_at=None)
    assert recover() == []
    Simulation.objects.update(queued_at=timezone.now() - timedelta(seconds=70))
    assert len(recover()) == 1


def test_queued_and_finished_simulations_are_not_touched(
    new_simulation: Any, claimed: Claimed
) -> None:
    queued = new_simulation()
    stopped, token = claimed()
    lifecycle.stop(stopped.pk, token)
    supervised_by(dead_process(), queued)
    supervised_by(dead_process(), stopped)
    assert recover() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_recoverers_only_one_ends_each(claimed: Claimed) -> None:
    for _ in range(3):
        simulation, _ = claimed()
        supervised_by(dead_process(), simulation)
    ended: list[str] = []
    barrier = threading.Barrier(3)

    def work() -> None:
        barrier.wait()
        ended.extend(one.simulation_id for one in recover())
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == len(set(ended)) == 3
    failures = RunEvent.objects.filter(kind="status", payload__status="failed")
    assert failures.count() == 3


def test_an_orphan_taken_over_meanwhile_is_left_alone(claimed: Claimed) -> None:
    simulation, _ = claimed()
    supervised_by(dead_process(), simulation)
    stale = Simulation.objects.get()
    Simulation.objects.update(attempt_token="a new attempt")
    assert recovery.end_orphan(stale, "gone") is None
    assert Simulation.objects.get().status == "pending"
