from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from simulations import process_identity, processes, tethered
from simulations.process_identity import Identity, is_alive, this_process
from tests.servers import eventually

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
    eventually(lambda: len(processes.carriers(token)) == 2)
    assert {os.getsid(each.pid) for each in processes.carriers(token)} == {child.pid}
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


# Each generation lives shorter than a look at all processes takes; it has lost the token.
RELAY = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-S", "-c", '''
import os, time
os.write(1, b"ready")
end = time.monotonic() + 300
while time.monotonic() < end:
    if os.fork():
        time.sleep(0.001)
        os._exit(0)
'''], {})
    os._exit(0)
"""


def kill_a_stopped_tether(child: processes.Child, token: str) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    processes.kill(token)


def kill_the_program(child: processes.Child, token: str) -> None:
    below = psutil.Process(child.pid).children()
    os.kill(next(each.pid for each in below if os.getsid(each.pid) == child.pid), signal.SIGKILL)


WAYS: dict[str, Callable[[processes.Child, str], object]] = {
    "end": lambda child, token: processes.end(child, token, 0),
    "end with grace": lambda child, token: processes.end(child, token, 60),
    "kill": lambda child, token: processes.kill(token),
    "the tether was stopped": kill_a_stopped_tether,
    "the program ends": kill_the_program,
    "its parent ends": lambda child, token: None,
}


@pytest.mark.skipif(not tethered.CHILDREN.exists(), reason="the system lists no children")
@pytest.mark.parametrize("way", WAYS)
def test_nothing_below_a_tether_survives_it(token: str, way: str) -> None:
    is_told = threading.Event()
    children: list[processes.Child] = []

    def parent() -> None:
        body = f"{RELAY}\ntime.sleep(600)"
        children.append(processes.spawn([*PYTHON, body], token, stdout=subprocess.PIPE))
        is_told.wait(60)

    thread = threading.Thread(target=parent)
    thread.start()
    try:
        eventually(lambda: children)
        [child] = children
        assert child.stdout is not None and child.stdout.read(5) == b"ready"
        WAYS[way](child, token)
    finally:
        is_told.set()
        thread.join()
    # The pipe ends when the last one that holds it has ended, whoever it is.
    with child.stdout:
        assert select.select([child.stdout], [], [], 60)[0] and child.stdout.read() == b""
    assert child.wait(60) in (-signal.SIGKILL, -signal.SIGTERM)


def test_killing_spares_processes_with_another_token(token: str) -> None:
    other = os.urandom(8).hex()
    kept, killed = (processes.spawn(["sleep", "600"], each) for each in (other, token))
    assert processes.kill(token) == []
    assert killed.wait(60) < 0 and kept.poll() is None
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
