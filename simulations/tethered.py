"""Become another program that does not outlive its parent: `tethered.py PARENT_PID COMMAND …`.

It runs in the new process before the program, because Python code between fork and exec of a
process with threads can deadlock. The settings made here survive exec; the pid stays the same.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(parent_pid: int, command: list[str]) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # Daemons that the program starts stay its descendants, so that they are found and ended.
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("The parent ended before the program could start.")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"Cannot start {command[0]}: {error.strerror}.")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
