"""Run a shell and leave nothing of it behind: `keeper.py TTY_FD MAX_PROCESSES SHELL …`.

It stands between the server and the shell for two reasons. All that a shell starts, however it
detaches, stays a descendant of the nearest ancestor that adopts orphans. And when the server ends,
however suddenly, the keeper's standard input ends, which is its order to end the shell.

It answers one line of JSON on standard output: {"exit_code", "reason", "survivors"}.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import Any

import psutil

PR_SET_CHILD_SUBREAPER = 36
LOOK_S = 0.2
GRACE_S = 1.0
KILL_S = 4.0
STDIN, STDOUT = 0, 1
ENDED, ASKED, FULL = "ended", "asked", "processes"


class Keeper:
    """The shell and all that descends from it."""

    def __init__(self, tty: int, max_processes: int, command: list[str]) -> None:
        self._max_processes = max_processes
        self._orders = _signals_as_input()
        self._usual_processes = len(psutil.pids())
        _adopt_orphans()
        self._shell = subprocess.Popen(
            command,
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
            # This process has one thread, so that Python between fork and exec is safe.
            preexec_fn=lambda: fcntl.ioctl(STDIN, termios.TIOCSCTTY, 0),
        )
        # Once no process of the shell has the terminal open, the server must read its end.
        os.close(tty)

    def run(self) -> dict[str, Any]:
        """Wait for the shell's end or an order, then end everything; return what to report."""
        reason = self._wait()
        survivors = self._end_all(grace_s=0 if reason == FULL else GRACE_S)
        return {"exit_code": self._exit_code(), "reason": reason, "survivors": survivors}

    def _wait(self) -> str:
        while True:
            ready, _, _ = select.select([STDIN, self._orders], [], [], LOOK_S)
            # SIGCHLD only has to wake this up; the other signals are orders to end.
            is_asked = self._orders in ready and set(os.read(self._orders, 512)) != {signal.SIGCHLD}
            self._reap()
            if self._shell.returncode is not None:
                return ENDED
            if is_asked or (STDIN in ready and not os.read(STDIN, 512)):
                return ASKED
            if self._is_full():
                return FULL

    def _reap(self) -> bool:
        """Take note of who has ended; tell whether any child is left."""
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._shell.pid:
                    self._shell.returncode = os.waitstatus_to_exitcode(ended[1])
        except ChildProcessError:
            return False
        return True

    def _is_full(self) -> bool:
        # Counting all processes is cheap, finding out whose they are is not.
        count = len(psutil.pids())
        self._usual_processes = min(self._usual_processes, count)
        grown = count - self._usual_processes
        return grown > self._max_processes and len(self._descendants()) > self._max_processes

    def _end_all(self, grace_s: float) -> list[int]:
        """Hang up, terminate, then kill; return the pids of those that cannot be killed."""
        if grace_s:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGCONT):
                self._signal_all(number)
        self._outwait(grace_s)
        deadline = time.monotonic() + KILL_S
        # A look can miss one whose parent ended meanwhile; that there is no child is certain.
        while self._reap() and time.monotonic() < deadline:
            self._signal_all(signal.SIGKILL)
            time.sleep(0.02)
        return sorted(process.pid for process in self._descendants())

    def _outwait(self, grace_s: float) -> None:
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline:
            if not self._reap():
                return
            time.sleep(0.02)

    def _signal_all(self, number: int) -> None:
        """Signal the groups of all descendants.

        A whole group at once, because its members cannot fork meanwhile. No other process can be in
        it: a group lies within a session, and the shell began a new one.
        """
        groups = set()
        for process in self._descendants():
            with suppress(ProcessLookupError):
                groups.add(os.getpgid(process.pid))
        for group in groups - {os.getpgrp()}:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)

    def _descendants(self) -> list[psutil.Process]:
        return [
            process for process in psutil.Process().children(recursive=True) if _is_running(process)
        ]

    def _exit_code(self) -> int | None:
        return self._shell.returncode


def _is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signals_as_input() -> int:
    """Return a file that has a byte for each signal that the process gets from now on."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(tty: int, max_processes: int, command: list[str]) -> None:
    try:
        report = Keeper(tty, max_processes, command).run()
    except OSError as error:
        report = {"exit_code": None, "reason": str(error), "survivors": []}
    with suppress(BrokenPipeError):  # The server is gone.
        os.write(STDOUT, json.dumps(report).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
