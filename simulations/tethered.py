"""Run a program none of whose processes outlives it: `tethered.py PARENT_PID COMMAND …`.

This process stays as the parent of the program and of all that it leaves behind. When the program
or the thread that started this ends, or on END, it kills them until the system says that it has
no child left: looking for processes by their traits can miss one that forks faster than one looks.
It is a program of its own, because Python code between fork and exec of a process with threads can
deadlock. Where the system cannot list children, it becomes the program.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

END = signal.SIGUSR1
CHILDREN = Path("/proc/thread-self/children")
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOOK_S = 0.002


def main(parent_pid: int, command: list[str]) -> None:
    if not CHILDREN.exists():
        _become(parent_pid, command)
    # Blocked ones wait to be taken by sigwait, so none is missed and none ends this process.
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, END)
    _exit_without(parent_pid)
    tether = os.getpid()
    program = os.fork()
    if program == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        _become(tether, command)
    _let_go_of_pipes()
    _leave_like(_end_all(program, _until_end(program)))


def _become(parent_pid: int, command: list[str]) -> None:
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _exit_without(parent_pid)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"Cannot start {command[0]}: {error.strerror}.")


def _exit_without(parent_pid: int) -> None:
    if os.getppid() != parent_pid:
        sys.exit("The parent ended before the program could start.")


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _let_go_of_pipes() -> None:
    """Leave them to the program, so that their readers see when it closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _until_end(program: int) -> int | None:
    """Return the status that the program ended with, None when told to end it."""
    status = None
    while status is None and signal.sigwait(signal.valid_signals()) != END:
        status = _reap(program)[0]
    return status


def _end_all(program: int, status: int | None) -> int:
    """Kill all below this process until it has no child left."""
    has_children, killed = True, set[int]()
    while has_children:
        before, killed = killed, _kill_descendants()
        late, has_children = _reap(program)
        status = late if status is None else status
        if killed == before:
            time.sleep(LOOK_S)
    return signal.SIGKILL if status is None else status


def _reap(program: int) -> tuple[int | None, bool]:
    """Return the program's status if it was among the dead, and whether any child is left."""
    status = None
    try:
        while True:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return status, True
            if pid == program:
                status = ended
    except ChildProcessError:
        return status, False


def _kill_descendants() -> set[int]:
    """Kill who is below this process, parents first, and return their pids.

    Those whose parent is killed become children of this process, so that what is missed here is
    found the next time. Going down at once is what overtakes a program that forks again and again.
    """
    killed = set[int]()
    found = _children(os.getpid())
    while found:
        pid = found.pop()
        found += _children(pid)
        killed.add(pid)
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return killed


def _children(pid: int) -> list[int]:
    # Of the main thread alone, which is the only one here.
    try:
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in pids.split()]


def _leave_like(status: int) -> None:
    """Exit with the program's code, or die of the signal that it died of."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
    os.kill(os.getpid(), -code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
