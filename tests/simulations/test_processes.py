from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from simulations import process_identity, processes, tethered
from simulations.process_identity import Identity, is_alive, this_process

PYTHON = [sys.executable, "-S", "-c"]


@pytest.fixture
def token() -> Iterator[str]:
    token = os.urandom(8).hex()
    yield token
    assert processes.kill(token) == []


def identity_of(pid: int) -> Identity:
    return Identity(
        process_identity.boot_id(), pid, process_identity.create_time(psutil.Process(pid))
    )


def test_this_process_is_alive() -> None:
    assert is_alive(this_process())


@pytest.mark.parametrize(
    "change", [{"boot_id": "another"}, {"create_time": 1.0}, {"pid": 2**22 + 1}]
)
def test_another_boot_start_or_pid_is_another_process(change: dict[str, Any]) -> None:
    assert not is_alive(replace(this_process(), **change))


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["sleep", "600"])
    identity = identity_of(child.pid)
    assert is_alive(identity)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.pid_exists(child.pid) and not is_alive(identity)
    child.wait()
    assert not is_alive(identity)


def test_setting_the_clock_does_not_change_who_a_process_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    me = this_process()
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    assert this_process() == me


def test_standard_input_reaches_the_program_and_may_stay_unread(token: str) -> None:
    big = "x" * 1_000_000
    reading = [*PYTHON, "import sys; sys.exit(len(sys.stdin.read()) != 1_000_000)"]
    assert processes.spawn(reading, token, stdin_text=big).wait(60) == 0
    assert processes.spawn(["true"], token, stdin_text=big).wait(60) == 0


def test_a_child_leads_its_own_session_and_carries_the_token(token: str) -> None:
    child = processes.spawn(["sleep", "600"], token)
    assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
    assert {process.pid for process in processes.carriers(token)} == {child.pid}
    assert processes.end(child, token) == []
    assert child.returncode == -15


def test_a_child_dies_with_the_thread_that_started_it(token: str) -> None:
    children: list[processes.Child] = []

    def parent() -> None:
        children.append(processes.spawn(["sleep", "600"], token))
        time.sleep(0.3)

    thread = threading.Thread(target=parent)
    thread.start()
    thread.join()
    assert children[0].wait(60) == -9


def test_a_child_whose_parent_is_gone_does_not_start() -> None:
    tether = [sys.executable, "-I", "-S", str(Path(tethered.__file__)), "1", "echo", "started"]
    done = subprocess.run(tether, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == "" and "parent ended" in done.stderr


def test_grace_lets_a_program_end_by_itself(token: str, tmp_path: Path) -> None:
    body = """
import signal, sys, time, pathlib
def leave(*_): time.sleep(0.2); pathlib.Path(sys.argv[1]).write_text("clean"); sys.exit(0)
signal.signal(signal.SIGTERM, leave); print("ready", flush=True); time.sleep(600)"""
    child = processes.spawn([*PYTHON, body, str(tmp_path / "end")], token, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()
    assert processes.end(child, token, 5) == []
    assert child.returncode == 0 and (tmp_path / "end").read_text() == "clean"


def test_one_that_ignores_sigterm_is_killed_after_the_grace(token: str) -> None:
    body = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    child = processes.spawn([*PYTHON, body], token, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()
    started = time.monotonic()
    assert processes.end(child, token, 0.3) == []
    assert child.returncode == -9 and time.monotonic() - started >= 0.3


def test_killing_spares_processes_with_another_token(token: str) -> None:
    other = os.urandom(8).hex()
    kept, killed = (processes.spawn(["sleep", "600"], each) for each in (other, token))
    assert processes.kill(token) == []
    assert killed.wait(60) == -9 and kept.poll() is None
    processes.end(kept, other)


def test_ending_a_child_that_has_ended_is_harmless(token: str) -> None:
    child = processes.spawn(["true"], token)
    child.wait(60)
    assert processes.end(child, token) == []
    assert processes.end(child, token) == []


def test_a_command_that_does_not_exist_ends_with_a_word_on_standard_error(
    token: str, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert processes.spawn(["/no/such"], token, stderr=log).wait(60) == 1
    assert "/no/such" in (tmp_path / "log").read_text()
