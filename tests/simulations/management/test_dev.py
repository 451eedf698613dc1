from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from intellifl.environment import ROOT
from simulations import processes
from simulations.models import RoundMetrics, Simulation
from simulations.process_identity import is_running
from tests.servers import eventually

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Dev:
    """A running `manage.py dev`, its port and all its processes."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.family: list[psutil.Process] = []

    def wait_until_up(self) -> list[str]:
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline() for _ in range(3)]
        self.look()
        return lines

    def look(self) -> None:
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        commands = ((one, " ".join(one.cmdline())) for one in self.family)
        return next(one for one, line in commands if word in line and "tethered.py" not in line)

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err

    def left(self) -> list[psutil.Process]:
        return [one for one in self.family if is_running(one)]


@pytest.fixture
def dev(shared_database: None, tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    started: list[Dev] = []

    def start(*arguments: str, **environment: str) -> Dev:
        port = free_port()
        command = [sys.executable, str(ROOT / "manage.py"), "dev", "--port", str(port), *arguments]
        process = subprocess.Popen(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        started.append(Dev(process, port))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        for process in one.left():
            process.kill()
        for stream in (one.process.stdout, one.process.stderr):
            assert stream is not None
            stream.close()
        one.process.wait()


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_a_signal_leaves_no_process(dev: Any, number: int) -> None:
    running = dev()
    lines = running.wait_until_up()
    assert f"http://127.0.0.1:{running.port}/\n" in lines[0]
    assert get(f"http://127.0.0.1:{running.port}/api/simulations") == []
    assert len(running.family) == 4  # the server, the queue, and the tether of each
    token = running.child("intellifl.server").environ()["INTELLIFL_RUN_TOKEN"]
    running.process.send_signal(number)
    code, err = running.end()
    assert (code, running.left()) == (0, []), err
    assert processes.carriers(token) == set()


def test_what_is_submitted_runs_and_ends_with_it(dev: Any, new_simulation: Any) -> None:
    running = dev()
    running.wait_until_up()
    simulation = new_simulation(num_of_rounds=10_000)
    eventually(lambda: Simulation.objects.get().status == "running")
    token = Simulation.objects.get().attempt_token
    eventually(lambda: processes.carriers(token))
    running.process.send_signal(signal.SIGTERM)
    running.end()
    simulation.refresh_from_db()
    assert simulation.status == "failed" and processes.carriers(token) == set()


@pytest.mark.parametrize(
    ("word", "name"), [("intellifl.server", "server"), ("run_queue", "local queue")]
)
def test_when_one_dies_the_other_is_ended_and_the_exit_code_is_1(
    dev: Any, word: str, name: str
) -> None:
    running = dev()
    running.wait_until_up()
    running.child(word).kill()
    code, err = running.end()
    assert code == 1 and f"The {name} ended by itself with exit code -9." in err
    assert running.left() == []


def test_nothing_survives_its_own_hard_death(dev: Any) -> None:
    running = dev()
    running.wait_until_up()
    running.process.kill()
    eventually(lambda: running.left() == [])


def test_a_port_in_use_is_exit_code_4(dev: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, err = dev("--port", str(taken.getsockname()[1])).end()
    assert code == 4 and "is in use" in err


def test_the_example_is_submitted_once(dev: Any) -> None:
    for _ in range(2):
        running = dev("--quickstart")
        running.wait_until_up()
        running.process.send_signal(signal.SIGTERM)
        running.end()
        assert [row.display_name for row in Simulation.objects.all()] == ["Quickstart"]


def test_beyond_loopback_a_login_is_asked_for(dev: Any) -> None:
    running = dev("--host", "0.0.0.0")
    running.wait_until_up()
    assert running.child("intellifl.server").environ()["INTELLIFL_REQUIRE_AUTH"] == "1"
    running.process.send_signal(signal.SIGTERM)
    _, err = running.end()
    assert "asks for a login" in err


def test_an_empty_database_is_prepared(dev: Any, tmp_path: Path) -> None:
    running = dev(DATABASE_URL=f"sqlite:///{tmp_path / 'new.sqlite3'}")
    running.wait_until_up()
    assert get(f"http://127.0.0.1:{running.port}/api/simulations") == []
    running.process.send_signal(signal.SIGTERM)
    assert running.end()[0] == 0
    assert not RoundMetrics.objects.exists()
