"""Simulations and small engines to run them with."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from intellifl.environment import ROOT
from simulations import lifecycle, processes, services
from simulations.attempt import Options
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun
from simulations.process_identity import this_process
from tests.simulations.stream_clients import Runs
from tests.simulations.supervised import InThread

CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
    "num_of_clients": 4,
    "seed": 7,
}
# Some engines are told the simulation's id and the attempt as arguments.
PRELUDE = """\
import json, os, signal, subprocess, sys, time

def tell(kind, **values):
    print(json.dumps({"kind": kind, **values}), flush=True)

def round_finished(number, strategy=0):
    tell("round_finished", strategy_number=strategy, round_number=number, global_accuracy=0.5,
         global_loss=1.0, clients=[{"client_id": c, "participated": True} for c in range(4)])

def begin(strategy=0):
    tell("strategy_started", strategy_number=strategy, num_parameters=10, client_sizes=[5] * 4)
"""
GOOD = """\
begin()
for number in (1, 2, 3):
    round_finished(number)
tell("strategy_finished", strategy_number=0, rounds=3)
tell("run_finished")
"""
ENDLESS = """\
begin()
round_finished(1)
time.sleep(600)
"""


@pytest.fixture
def new_simulation(db: None) -> Callable[..., Simulation]:
    def create(**changes: Any) -> Simulation:
        return services.create({**CONFIG, **changes}).simulation

    return create


@pytest.fixture
def claimed(new_simulation: Callable[..., Simulation]) -> Callable[..., tuple[Simulation, str]]:
    """Return a factory of simulations that an attempt of this process holds, and its token."""

    def create(**changes: Any) -> tuple[Simulation, str]:
        simulation, token = new_simulation(**changes), secrets.token_hex(8)
        assert lifecycle.claim(simulation.pk, token, this_process())
        return simulation, token

    return create


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a factory of commands that stand for the engine, from lines of Python."""

    def write(body: str) -> list[str]:
        script = tmp_path / f"engine_{secrets.token_hex(4)}.py"
        script.write_text(PRELUDE + textwrap.dedent(body))
        return [sys.executable, "-S", str(script)]

    return write


@pytest.fixture
def options(engine: Callable[[str], list[str]]) -> Callable[..., Options]:
    def build(body: str, **changes: Any) -> Options:
        fast: dict[str, Any] = {"artifacts": ["true"], "beat_s": 0.05, "grace_s": 0.5}
        return Options(engine=engine(body), **{**fast, **changes})

    return build


@pytest.fixture
def status_file(out_dir: Path) -> Callable[[Simulation], dict[str, Any]]:
    def read(simulation: Simulation) -> dict[str, Any]:
        text = (out_dir / simulation.simulation_id / "status.json").read_text()
        state: dict[str, Any] = json.loads(text)
        return state

    return read


@pytest.fixture
def no_strays() -> Any:
    """Fail the test if a process with one of the given tokens outlives it."""
    tokens: list[str] = []
    yield tokens.append
    for token in tokens:
        assert processes.carriers(token) == set()


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def endless() -> str:
    return ENDLESS


FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}


@pytest.fixture
def flat() -> dict[str, Any]:
    return dict(FLAT)


@pytest.fixture
def submit(db: None) -> Callable[..., Simulation]:
    """Submit the flat configuration with these settings changed."""

    def submit(**settings: Any) -> Simulation:
        return services.create({**FLAT, **settings}).simulation

    return submit


@pytest.fixture
def record() -> Callable[..., StrategyRun]:
    """Write rounds of a strategy as rows; client c has loss r + c / 10 in round r.

    Client 1 attacks from round 2 on and is never aggregated.
    """

    def record(
        row: Simulation, rounds: int, clients: int = 3, number: int = 0, **columns: Any
    ) -> StrategyRun:
        run = row.strategies.get(number=number)
        RoundMetrics.objects.bulk_create(
            RoundMetrics(
                strategy_run=run,
                round_number=turn,
                aggregated_loss=1 / turn,
                average_accuracy=0.5 + turn / 100,
                recorded_at=timezone.now(),
                **columns,
            )
            for turn in range(1, rounds + 1)
        )
        ClientRound.objects.bulk_create(
            ClientRound(
                strategy_run=run,
                round_number=turn,
                client_id=client,
                loss=turn + client / 10,
                participated=client != 1,
                is_malicious=client == 1 and turn > 1,
                is_removed=False,
                num_examples=10,
            )
            for turn in range(1, rounds + 1)
            for client in range(clients)
        )
        return run

    return record


@pytest.fixture
def end() -> Callable[..., Simulation]:
    """Write a final status into the row, whatever it was."""

    def end(row: Simulation, status: str = "completed", **columns: Any) -> Simulation:
        changed = {"status": status, "finished_at": timezone.now(), **columns}
        Simulation.objects.filter(pk=row.pk).update(**changed)
        row.refresh_from_db()
        return row

    return end


@pytest.fixture
def manage(shared_database: None, engine: Callable[[str], list[str]], tmp_path: Path) -> Any:
    """Return a starter of `manage.py` commands as processes, with another engine than the real one.

    Whatever still runs at the end of the test is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        *arguments: str, body: str = GOOD, grace_s: float = processes.GRACE_S, **changes: Any
    ) -> subprocess.Popen[str]:
        script = tmp_path / f"manage_{secrets.token_hex(4)}.py"
        script.write_text(
            f"""\
import os, sys
sys.path.insert(0, {str(ROOT)!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "intellifl.settings"
import django
django.setup()
from django.core.management import execute_from_command_line
from simulations import processes
processes.GRACE_S = {grace_s}
from simulations import attempt
attempt.engine_command = lambda simulation: [
    *{engine(body)!r}, simulation.simulation_id, str(simulation.attempt)
]
attempt.artifacts_command = lambda simulation_id: ["true"]
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
        )
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.PIPE}
        command = [sys.executable, str(script), *arguments]
        process = subprocess.Popen(command, text=True, **{**streams, **changes})
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Return what clients of a stream follow."""
    return Runs(tmp_path)


@pytest.fixture
def in_thread() -> Iterator[InThread]:
    """Return what starts a thread; none may outlive the test."""
    threads: list[threading.Thread] = []

    def start(target: Callable[..., None], *args: Any) -> threading.Thread:
        def work() -> None:
            try:
                target(*args)
            finally:
                connections.close_all()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
