"""Which process is meant, though pids are used again and clocks are set back."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
DEAD = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


@dataclass(frozen=True)
class Identity:
    """A process; `create_time` is in seconds since the machine was booted."""

    boot_id: str
    pid: int
    create_time: float


def this_process() -> Identity:
    process = psutil.Process()
    return Identity(boot_id(), process.pid, create_time(process))


def is_alive(identity: Identity) -> bool:
    """Tell whether exactly that process runs: neither a zombie nor another one with its pid."""
    if identity.boot_id != boot_id():
        return False
    try:
        process = psutil.Process(identity.pid)
        return is_running(process) and create_time(process) == identity.create_time
    except psutil.NoSuchProcess:
        return False


def is_running(process: psutil.Process) -> bool:
    """Tell whether the process still runs; nobody may ever reap a zombie, so it counts as dead."""
    try:
        return process.is_running() and process.status() not in DEAD
    except psutil.NoSuchProcess:
        return False


def create_time(process: psutil.Process) -> float:
    """Return the start of the process in seconds since boot, which no setting of clocks changes."""
    stat = Path(f"/proc/{process.pid}/stat")
    try:
        after_name = stat.read_text(errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            raise psutil.NoSuchProcess(process.pid) from None
        return process.create_time() - psutil.boot_time()
    except ProcessLookupError:
        raise psutil.NoSuchProcess(process.pid) from None
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")


@cache
def boot_id() -> str:
    """Return what names this run of the machine's kernel."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else str(int(psutil.boot_time()))


def host() -> str:
    return socket.gethostname()
