"""A forked worker: does the tasks that come through its pipe, and never outlives the engine."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from simulations.fl.backends.base import Exchange, Work
from simulations.fl.errors import FLError, TrainingError

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Failure:
    """What a worker answers instead of a result; `error` is one that was raised on purpose."""

    sentence: str
    trace: str
    error: FLError | None = None

    def as_error(self, task: Any) -> FLError:
        """Return what the engine is to raise: the worker's own error, or one that names `task`."""
        error = self.error or TrainingError(f"{task} failed: {self.sentence}")
        error.add_note(self.trace)
        return error


def serve(
    work: Work,
    exchange: Exchange,
    pipe: Connection,
    foreign: Iterable[Connection],
    engine_pid: int | None,
) -> None:
    """Do tasks until the engine closes its end of `pipe`.

    `foreign` are the engine's ends, which a fork inherits: left open they would hide its end.
    With `engine_pid` the kernel ends this process at once when the engine's forking thread ends.
    """
    for connection in foreign:
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if engine_pid is not None:
        _die_with(engine_pid)
    torch.set_num_threads(1)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(perform(work, task, exchange))
        except BrokenPipeError:
            return


def perform(work: Work, task: Any, exchange: Exchange) -> Any:
    """Return the result of `task`, or the Failure that it ended in."""
    try:
        return work.perform(task, exchange)
    except FLError as error:
        return Failure(str(error), traceback.format_exc(), error)
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}", traceback.format_exc())


def _die_with(engine_pid: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != engine_pid:
        sys.exit("the engine ended before its worker could begin")
