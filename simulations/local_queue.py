"""The queue of one machine: takes queued simulations first in, first out, some at once."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from django.db import DatabaseError, connection, connections

from simulations import dispatch, lifecycle, processes, recovery
from simulations.attempt import Ending, Options, interrupted
from simulations.models import Simulation, Status
from simulations.process_identity import host, this_process
from simulations.supervisor import supervise

logger = logging.getLogger(__name__)
POLL_S = 0.25
RECOVERY_S = 5.0
SHUTDOWN_S = 9.0
SHUT_DOWN = interrupted("interrupted: the local queue was shut down")


class LocalQueue:
    """Claims and supervises simulations until it is shut down; one in a process.

    Queues in several processes share the work without running anything twice.
    """

    def __init__(
        self,
        concurrency: int,
        options: Options | None = None,
        report: Callable[[str], None] = logger.info,
    ) -> None:
        self._concurrency = concurrency
        self._options = replace(options or Options(), interrupted=self._interruption)
        self._report = report
        self._me = this_process()
        self._running: dict[str, threading.Thread] = {}
        # Not an Event: setting one in a signal handler can wait for a lock of the same thread.
        self._is_closing = False
        self._next_recovery = 0.0
        self._watch = recovery.Watch()

    def shut_down(self) -> None:
        """Take no more and end what runs; safe in a signal handler."""
        self._is_closing = True

    def run(self) -> None:
        """Work until `shut_down`; then return within SHUTDOWN_S, with no process of a run left."""
        while not self._is_closing:
            try:
                self._work()
            except DatabaseError as error:
                logger.warning("The database cannot be used, trying again: %s", error)
                connection.close()
            time.sleep(POLL_S)
        self._end_all()

    def _work(self) -> None:
        self._forget_finished()
        if time.monotonic() >= self._next_recovery:
            self._recover()
        while len(self._running) < self._concurrency and self._take_next():
            pass

    def _take_next(self) -> bool:
        """Start the first queued simulation; False when there is none."""
        queued = Simulation.objects.filter(status=Status.QUEUED).order_by("queued_at", "id")
        first = queued.values_list("pk", "simulation_id").first()
        if first is None or self._is_closing or dispatch.is_left_to_workers():
            return False
        pk, simulation_id = first
        token = secrets.token_hex(16)
        if lifecycle.claim(pk, token, self._me):
            self._report(f"{simulation_id} started")
            thread = threading.Thread(
                target=self._supervise, args=(pk, simulation_id, token), daemon=True
            )
            self._running[token] = thread
            thread.start()
        return True

    def _supervise(self, pk: int, simulation_id: str, token: str) -> None:
        try:
            supervise(pk, token, self._options)
            status = Simulation.objects.filter(pk=pk).values_list("status", flat=True).first()
            self._report(f"{simulation_id} {status or 'deleted'}")
        except Exception:
            logger.exception("The thread of %s ended.", simulation_id)
        finally:
            connections.close_all()

    def _forget_finished(self) -> None:
        for token, thread in list(self._running.items()):
            if not thread.is_alive():
                del self._running[token]

    def _recover(self) -> None:
        self._next_recovery = time.monotonic() + RECOVERY_S
        for simulation in self._abandoned():
            recovery.end_orphan(simulation, "interrupted: the thread that supervised it ended")
        for recovered in recovery.recover(self._watch):
            self._report(str(recovered))

    def _abandoned(self) -> list[Simulation]:
        """Return the simulations that this process holds by their rows, but that no thread runs."""
        mine = Simulation.objects.filter(
            status__in=recovery.SUPERVISED,
            supervisor_host=host(),
            supervisor_boot_id=self._me.boot_id,
            supervisor_pid=self._me.pid,
            supervisor_started=self._me.create_time,
        )
        return [row for row in mine if row.attempt_token not in self._running]

    def _interruption(self) -> Ending | None:
        return SHUT_DOWN if self._is_closing else None

    def _end_all(self) -> None:
        deadline = time.monotonic() + SHUTDOWN_S
        for thread in self._running.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for token, thread in self._running.items():
            if thread.is_alive():
                processes.kill(token)
