"""Runs one claimed simulation: the engine in a child process, its events to the recorder, its end.

The calling thread starts the child, reads its lines, beats about every second and looks there for
a stop request. Whatever happens, no process of the run is left when the status changes.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from simulations import attempt, interruption, late_results, lifecycle, processes, recorder
from simulations.artifacts import folder
from simulations.attempt import COMPLETED, LOST, STOPPED, Ending, Options, failure
from simulations.fl import events
from simulations.line_pipe import LinePipe
from simulations.models import Simulation, Status
from simulations.processes import Child

logger = logging.getLogger(__name__)
T = TypeVar("T")
DRAIN_S = 1.0
RETRY_S = 0.5


def supervise(pk: int, token: str, options: Options | None = None) -> None:
    """Run the simulation that the attempt `token` has claimed, until its status is final.

    Call it from a thread that lasts as long: the children die with the thread. KeyboardInterrupt
    ends them without grace, marks the simulation stopped and is raised again.
    """
    simulation = Simulation.objects.get(pk=pk)
    _Supervision(simulation, token, options or Options()).run()


class _Supervision:
    def __init__(self, simulation: Simulation, token: str, options: Options) -> None:
        self._simulation = simulation
        self._id = simulation.simulation_id
        self._pk = simulation.pk
        self._token = token
        self._options = options
        self._next_beat = 0.0
        self._told: Ending | None = None
        self._exit_by = float("inf")
        self._is_mirror_due = True
        self._survivors: list[int] = []

    def run(self) -> None:
        try:
            ending = self._attempt()
        except KeyboardInterrupt:
            self._conclude(STOPPED)
            raise
        except Exception as error:
            logger.exception("The supervision of %s failed.", self._id)
            ending = failure(f"the supervisor failed: {error}")
        self._conclude(ending)
        if ending.status in (Status.FAILED, Status.STOPPED):
            late_results.build(self._simulation, self._token, self._options)
            self._mirror()

    def _attempt(self) -> Ending:
        if not self._persistently(lambda: lifecycle.start(self._pk, self._token)):
            return LOST
        ending = self._beat() or self._run_engine()
        return (self._build_artifacts() or ending) if ending == COMPLETED else ending

    def _conclude(self, ending: Ending) -> None:
        if self._survivors and ending.status is not None:
            ending = failure(f"the processes {self._survivors} of the run could not be ended")
        if ending.status is Status.COMPLETED:
            self._persistently(lambda: lifecycle.complete(self._pk, self._token))
        elif ending.status is Status.STOPPED:
            self._persistently(lambda: lifecycle.stop(self._pk, self._token))
        elif ending.is_interruption:
            self._persistently(lambda: interruption.end(self._pk, self._token, ending.error))
        elif ending.status is Status.FAILED:
            self._persistently(lambda: lifecycle.fail(self._pk, ending.error, self._token))
        self._mirror()

    def _run_engine(self) -> Ending:
        command = self._options.engine or attempt.engine_command(self._simulation)
        try:
            child = self._spawn(command, attempt.engine_input(self._simulation), subprocess.PIPE)
        except OSError as error:
            return failure(f"the engine could not be started: {error}")
        assert child.stdout is not None
        with child.stdout:
            ending = self._until_end(child, LinePipe(child.stdout))
        self._exit_by = float("inf")
        return ending or self._natural_ending(child.returncode)

    def _build_artifacts(self) -> Ending | None:
        command = self._options.artifacts or attempt.artifacts_command(self._id)
        try:
            child = self._spawn(command, "", None)
        except OSError as error:
            self._warn(f"the results could not be built: {error}")
            return None
        ending = self._until_end(child, None)
        if ending is None and child.returncode != 0:
            self._warn(f"the results could not be built ({_exit_reason(child.returncode)})")
        return ending

    def _spawn(self, command: Sequence[str], stdin_text: str, stdout: int | None) -> Child:
        return attempt.spawn(self._id, command, self._token, stdin_text, stdout)

    def _until_end(self, child: Child, pipe: LinePipe | None) -> Ending | None:
        """Return None when the child ended by itself; nothing of it is left in any case."""
        try:
            ending = self._watch(child, pipe)
        except BaseException:
            self._survivors = processes.end(child, self._token, 0)
            raise
        self._survivors = processes.end(child, self._token, self._options.grace_s)
        return ending

    def _watch(self, child: Child, pipe: LinePipe | None) -> Ending | None:
        while child.poll() is None:
            ending = self._beat_when_due() or self._read(child, pipe)
            if ending is not None:
                return ending
        return self._drain(pipe)

    def _read(self, child: Child, pipe: LinePipe | None) -> Ending | None:
        timeout_s = max(0.0, self._next_beat - time.monotonic())
        if pipe is not None and pipe.is_open:
            return self._take(pipe.lines(timeout_s))
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout_s)
        return None

    def _drain(self, pipe: LinePipe | None) -> Ending | None:
        # With an end: a stray of the child may hold the pipe open for ever.
        deadline = time.monotonic() + DRAIN_S
        while pipe is not None and pipe.is_open and time.monotonic() < deadline:
            ending = self._take(pipe.lines(0.1))
            if ending is not None:
                return ending
        return None

    def _take(self, lines: list[bytes]) -> Ending | None:
        for line in lines:
            try:
                event = events.from_line(line)
                held = self._persistently(partial(recorder.record, self._pk, self._token, event))
            except recorder.UNRECORDABLE as error:
                text = line[:500].decode(errors="replace")
                return failure(f"the engine wrote a line that cannot be recorded ({error}): {text}")
            if not held:
                return LOST
            self._note(event)
        return None

    def _note(self, event: events.Event) -> None:
        self._is_mirror_due = True
        if isinstance(event, events.RunFinished):
            self._told = COMPLETED
        elif isinstance(event, events.RunFailed):
            self._told = failure(event.error)
        if self._told is not None:
            self._exit_by = time.monotonic() + self._options.exit_s
        self._options.observe(event)

    def _natural_ending(self, returncode: int) -> Ending:
        if self._told is None or (self._told == COMPLETED and returncode != 0):
            tail = "; ".join(folder.log_tail(self._id, 5))
            reason = f"the engine ended without a result ({_exit_reason(returncode)})"
            end = attempt.interrupted if returncode < 0 else failure
            return end(f"{reason}; its log ends: {tail}" if tail else reason)
        return self._told

    def _beat_when_due(self) -> Ending | None:
        return self._beat() if time.monotonic() >= self._next_beat else None

    def _beat(self) -> Ending | None:
        self._next_beat = time.monotonic() + self._options.beat_s
        row = self._persistently(lambda: lifecycle.beat(self._pk, self._token))
        if row is None:
            return LOST
        if self._is_mirror_due:
            self._mirror()
        if row.stop_requested_at is not None:
            return STOPPED
        if time.monotonic() > self._exit_by:
            return failure(f"the engine did not exit within {self._options.exit_s:g} s of its end")
        return self._options.interrupted()

    def _mirror(self) -> None:
        self._is_mirror_due = False
        self._persistently(lambda: folder.mirror_status(self._simulation))

    def _warn(self, message: str) -> None:
        logger.warning("%s: %s", self._id, message)
        self._persistently(lambda: recorder.warn(self._pk, self._token, message))
        try:
            folder.append_log(self._id, "WARNING", message)
        except OSError as error:
            logger.warning("%s: cannot write the log: %s", self._id, error)

    def _persistently(self, action: Callable[[], T]) -> T:
        """Do it again while the database cannot be reached, for as long as the options allow."""
        deadline = time.monotonic() + self._options.database_patience_s
        while True:
            try:
                return action()
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() >= deadline:
                    raise
                logger.warning("%s: the database cannot be used, trying again: %s", self._id, error)
                connection.close()
                time.sleep(RETRY_S)


def _exit_reason(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    names = {known.value: known.name for known in signal.Signals}
    name = names.get(-returncode, f"signal {-returncode}")
    hint = "; the machine may have run out of memory" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"
