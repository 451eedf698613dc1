"""Anything, in any order: afterwards every run has one end, and nothing is left or ran twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from intellifl.environment import RUN_TOKEN
from simulations import processes, services
from simulations.models import ACTIVE, FINISHED, RunEvent, Simulation
from tests.servers import Valkey, eventually
from tests.workers import Worker

EXAMPLES = int(os.environ.get("FAULT_EXAMPLES", "4"))
STEPS = 16
CONFIG = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
    "num_of_clients": 4,
}
ENGINE = """\
import fcntl, pathlib
name, attempt = sys.argv[1:]
lock = open(pathlib.Path({home!r}) / f"{{name}}.lock", "w")
told = "started"
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    told = "overlapped"
with open({starts!r}, "a") as starts:
    starts.write(f"{{told}} {{name}} {{attempt}}\\n")
begin()
checkpoints = pathlib.Path(os.environ["INTELLIFL_OUT_DIR"]) / name / "checkpoints"
checkpoints.mkdir(exist_ok=True)
for number in (1, 2, 3):
    time.sleep(0.15)
    round_finished(number)
    (checkpoints / "strategy_0.pt").write_bytes(b"")
tell("strategy_finished", strategy_number=0, rounds=3)
tell("run_finished")
"""


class World:
    """The processes and folders of one installation."""

    def __init__(
        self, home: Path, out: Path, valkey: Valkey, manage: Any, engine: Callable[[str], list[str]]
    ) -> None:
        self.home, self.out, self.valkey = home, out, valkey
        self.starts = home / "starts"
        body = ENGINE.format(home=str(home), starts=str(self.starts))
        self._start_queue = lambda: manage("run_queue", body=body, stderr=subprocess.DEVNULL)
        self._command = engine(body)
        self.queue: subprocess.Popen[str] | None = None
        self.worker: Worker | None = None
        self._workers = 0

    def ensure_queue(self) -> None:
        if self.queue is None or self.queue.poll() is not None:
            self.queue = self._start_queue()

    def ensure_worker(self) -> None:
        if self.worker is None or self.worker.process.poll() is not None:
            self._workers += 1
            self.worker = Worker(self._command, self.home / f"worker_{self._workers}.log")

    def end(self) -> None:
        worker = None if self.worker is None else self.worker.process
        for process in (self.queue, worker):
            if process is not None:
                process.kill()
                process.wait()
        self.queue = self.worker = None


def machine(world: World) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            Simulation.objects.all().delete()
            shutil.rmtree(world.out, ignore_errors=True)
            world.starts.unlink(missing_ok=True)
            world.valkey.start()
            world.ensure_queue()
            self.submit_and_wait(0.5)

        def chosen(self, number: int) -> Simulation | None:
            rows = list(Simulation.objects.order_by("id"))
            return rows[number % len(rows)] if rows else None

        @rule(seconds=st.sampled_from([0.0, 0.3, 0.9]))
        def submit_and_wait(self, seconds: float) -> None:
            services.create(CONFIG)
            time.sleep(seconds)

        @rule(number=st.integers(1, 3))
        def submit_several(self, number: int) -> None:
            for _ in range(number):
                services.create(CONFIG)

        @rule(number=st.integers(0, 9), what=st.sampled_from(["stop", "delete", "resume"]))
        def ask(self, number: int, what: str) -> None:
            simulation = self.chosen(number)
            if simulation is None:
                return
            try:
                getattr(services, what)(simulation)
            except services.NotAllowed:
                simulation.refresh_from_db()

        @rule(number=st.integers(0, 9))
        def rename(self, number: int) -> None:
            simulation = self.chosen(number)
            if simulation is not None:
                services.rename(simulation, f"run {number}")

        @rule()
        def start_worker(self) -> None:
            world.ensure_worker()

        @rule()
        def restart_server(self) -> None:
            if world.queue is not None:
                world.queue.terminate()
                world.queue.wait(60)
            world.ensure_queue()

        @rule()
        def kill_worker(self) -> None:
            if world.worker is not None:
                world.worker.process.kill()
                world.worker.process.wait()

        @rule()
        def kill_a_supervisor(self) -> None:
            if world.queue is not None:
                world.queue.kill()
                world.queue.wait()
            if world.worker is not None and world.worker.process.poll() is None:
                for child in world.worker.pool():
                    child.kill()

        @rule()
        def kill_a_child(self) -> None:
            for simulation in Simulation.objects.filter(status="running"):
                for process in processes.carriers(simulation.attempt_token):
                    process.kill()

        @rule()
        def redis_down(self) -> None:
            world.valkey.stop()

        @rule()
        def redis_up(self) -> None:
            if not world.valkey.is_running:
                world.valkey.start()

        @rule(seconds=st.sampled_from([0.2, 0.7]))
        def wait(self, seconds: float) -> None:
            time.sleep(seconds)

        def teardown(self) -> None:
            try:
                world.ensure_queue()
                eventually(lambda: not Simulation.objects.filter(status__in=ACTIVE), 90)
                check(world)
            finally:
                world.end()
                world.valkey.stop()

    return Machine


def check(world: World) -> None:
    rows = {row.simulation_id: row for row in Simulation.objects.all()}
    for row in rows.values():
        statuses = [
            event.payload["status"]
            for event in RunEvent.objects.filter(simulation=row, kind="status").order_by("id")
        ]
        assert statuses[-1] == row.status
        last_attempt = statuses[len(statuses) - statuses[::-1].index("queued") :]
        assert [one for one in last_attempt if one in FINISHED] == [row.status]
        assert statuses.count("completed") <= 1
        if row.status == "completed":
            assert row.progress == 1.0 and row.error == ""
    eventually(lambda: strays(world.out) == [])
    eventually(lambda: set(folders(world.out)) == set(rows))
    eventually(lambda: all(mirrored(world.out, row) for row in rows.values()))
    told = world.starts.read_text().splitlines() if world.starts.exists() else []
    assert [line for line in told if line.startswith("overlapped")] == []
    assert [line for line, count in Counter(told).items() if count > 1] == []


def strays(out: Path) -> list[str]:
    """Return the processes that belong to a run of this test."""
    found = []
    for process in psutil.process_iter():
        try:
            variables = process.environ()
            is_ours = RUN_TOKEN in variables and variables.get("INTELLIFL_OUT_DIR") == str(out)
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def folders(out: Path) -> list[str]:
    return [entry.name for entry in out.iterdir()] if out.is_dir() else []


def mirrored(out: Path, row: Simulation) -> bool:
    told = json.loads((out / row.simulation_id / "status.json").read_text())
    return bool(told["status"] == row.status)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("resume", ["manual", "auto"])
def test_after_any_sequence_every_run_has_one_end_and_nothing_is_left(
    shared_database: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    out_dir: Path,
    manage: Any,
    engine: Any,
    resume: str,
) -> None:
    valkey = Valkey()
    monkeypatch.setenv("REDIS_URL", valkey.url)
    monkeypatch.setenv("INTELLIFL_RESUME", resume)
    changes = {"redis_url": valkey.url}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)
    settings.RESUMES_BY_ITSELF = resume == "auto"
    world = World(tmp_path, out_dir, valkey, manage, engine)
    run_state_machine_as_test(machine(world), settings=QUICK)


QUICK = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize="FAULT_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
