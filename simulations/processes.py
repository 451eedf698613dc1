"""Start the processes of a run, and end all of them, strays included.

A run's first process is a tether: it leads a session of its own, ends with the thread that started
it, and takes with it every process below it. All have the run's token in their environment, by
which they are found should a tether have been killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from intellifl.environment import RUN_TOKEN
from simulations import tethered
from simulations.process_identity import is_running

GRACE_S = 5.0
KILL_S = 3.0
TETHER_S = 1.0
LOOK_S = 0.05

Child = subprocess.Popen[bytes]
Stream = int | IO[bytes] | None


def spawn(
    command: Sequence[str],
    token: str,
    *,
    stdin_text: str = "",
    stdout: Stream = None,
    stderr: Stream = None,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Child:
    """Start `command`; it is killed when the calling thread ends, so call from a lasting one.

    Standard input is a file, so that a command which never reads it cannot block the caller.
    Raises OSError when the system can start no process.
    """
    tether = [sys.executable, "-I", "-S", str(Path(tethered.__file__).resolve())]
    with tempfile.TemporaryFile() as stdin:
        stdin.write(stdin_text.encode())
        stdin.seek(0)
        return subprocess.Popen(
            [*tether, str(os.getpid()), *command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env={**os.environ, **(variables or {}), RUN_TOKEN: token},
            start_new_session=True,
        )


def end(child: Child, token: str, grace_s: float = GRACE_S) -> list[int]:
    """Ask the child's group to end, then kill what is left; return the pids that survived it all.

    Takes at most `grace_s` + KILL_S seconds.
    """
    family = _family(child)
    if grace_s > 0:
        terminate(child)
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    survivors = kill(token, family)
    with suppress(subprocess.TimeoutExpired):
        child.wait(0.5)
    return survivors


def terminate(child: Child) -> None:
    """Ask the child's group to end. Only while the child is not reaped is the group surely its."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)


def kill(token: str, family: Iterable[psutil.Process] = ()) -> list[int]:
    """Have the tethers end what is below them, then kill `family` and all that carry the token.

    Returns the pids that are left after KILL_S seconds.
    """
    deadline = time.monotonic() + KILL_S
    known = _running(token, set(family))
    _end_tethers(known)
    looks_without = 0
    while looks_without < 2 and time.monotonic() < deadline:
        known = _running(token, known)
        for process in known:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        looks_without = 0 if known else looks_without + 1
        time.sleep(LOOK_S)
    return sorted(process.pid for process in known if is_running(process))


def carriers(token: str) -> set[psutil.Process]:
    """Return the running processes whose environment holds the token."""
    return _running(token, set())


def _end_tethers(known: set[psutil.Process]) -> None:
    """Give the sessions' leaders, of whom the first of a run is its tether, time to do it."""
    deadline = time.monotonic() + TETHER_S
    leaders = {process for process in known if _leads_a_session(process)}
    for process in leaders:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(tethered.END)
            process.send_signal(signal.SIGCONT)
    while any(map(is_running, leaders)) and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def _leads_a_session(process: psutil.Process) -> bool:
    try:
        return os.getsid(process.pid) == process.pid
    except ProcessLookupError:
        return False


def _running(token: str, known: set[psutil.Process]) -> set[psutil.Process]:
    """Return who runs of `known`, of their children, and of the processes with the token."""
    found = {process for process in known if is_running(process)}
    pids = {process.pid for process in found}
    # In order of pid, so that mostly a parent is met before its children.
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            belongs = process.ppid() in pids or process.environ().get(RUN_TOKEN) == token
            if belongs and process.pid != os.getpid() and is_running(process):
                found.add(process)
                pids.add(process.pid)
    return found


def _family(child: Child) -> set[psutil.Process]:
    try:
        leader = psutil.Process(child.pid)
        return {leader, *leader.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()
