"""What a Celery worker does beside its tasks: it says that it listens, it sweeps, it ends in time.

In the worker's own process everything runs in its event loop, on the thread that forks the pool:
a database connection or a lock held by another thread during a fork would break the new process.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from celery import bootsteps, signals
from django.db import DatabaseError, connections
from kombu.transport import TRANSPORT_ALIASES

from intellifl.celery import app
from simulations import broker, dispatch, recovery
from simulations.attempt import Ending, interrupted
from simulations.broker import BrokerUnavailable

logger = logging.getLogger(__name__)
BEAT_S = 3.0
SWEEP_S = 5.0
SHUTDOWN_S = 9.0
SHUT_DOWN = interrupted("interrupted: the worker was shut down")
_is_closing = threading.Event()
_die_of_sigterm: Any = signal.SIG_DFL


def interruption() -> Ending | None:
    """Return how a run ends because this process of the pool was told to end, if it was."""
    return SHUT_DOWN if _is_closing.is_set() else None


class Presence(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Says in Redis that this worker listens, for as long as its event loop takes messages."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    _timer: Any = None

    def start(self, consumer: Any) -> None:
        _announce(consumer.hostname)
        self._timer = consumer.timer.call_repeatedly(BEAT_S, _announce, (consumer.hostname,))

    def stop(self, consumer: Any) -> None:
        _cancel(self._timer)
        with suppress(BrokerUnavailable):
            broker.broker().withdraw(consumer.hostname)


class Sweep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Ends the runs of dead processes, and rings again for simulations that were forgotten."""

    requires = (Presence,)
    _timer: Any = None

    def start(self, consumer: Any) -> None:
        self._timer = consumer.timer.call_repeatedly(SWEEP_S, sweep, (recovery.Watch(),))

    def stop(self, consumer: Any) -> None:
        _cancel(self._timer)


class Interrupt(bootsteps.StartStopStep):  # type: ignore[misc]
    """Ends the runs of the pool when the worker ends; Celery alone would wait for each."""

    requires = ("celery.worker.components:Pool",)
    _ended_at: float | None = None

    def start(self, worker: Any) -> None:
        self._pool = worker.pool
        # At the signal: a worker that looks for its Redis takes seconds to come to `stop`.
        signals.worker_shutting_down.connect(self._end_runs)

    def stop(self, worker: Any) -> None:
        ended_at = self._end_runs()
        left_s = max(0.0, ended_at + SHUTDOWN_S - time.monotonic())
        timer = threading.Timer(left_s, _signal, (self._pids(), signal.SIGKILL))
        timer.daemon = True
        timer.start()

    terminate = stop

    def _end_runs(self, **_: Any) -> float:
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            _signal(self._pids(), signal.SIGTERM)
        return self._ended_at

    def _pids(self) -> list[int]:
        return list(self._pool.info["processes"])


def sweep(watch: recovery.Watch) -> None:
    """End attempts of dead supervisors and publish again what was forgotten."""
    try:
        for recovered in recovery.recover(watch):
            logger.warning("%s", recovered)
        number = dispatch.republish()
        if number:
            logger.info("%d queued simulations were published again.", number)
    except (DatabaseError, BrokerUnavailable) as error:
        logger.warning("The sweep is put off: %s", error)
    finally:
        # SQLite's locks do not survive the fork of a process that has the database open.
        connections.close_all()


def _announce(name: str) -> None:
    # Redis' absence is told by the broker; the worker itself waits for it to come back.
    with suppress(BrokerUnavailable):
        broker.broker().announce(name)


def _cancel(timer: Any) -> None:
    if timer is not None:
        timer.cancel()


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _remember_sigterm(**_: Any) -> None:
    """Before a task, in a process of the pool: do not die of SIGTERM, so that a run ends well."""
    global _die_of_sigterm
    _die_of_sigterm = signal.signal(signal.SIGTERM, lambda *_: _is_closing.set())


def _obey_sigterm(**_: Any) -> None:
    signal.signal(signal.SIGTERM, _die_of_sigterm)


# Not at the start of the process: the pool sets its own signals after that.
signals.task_prerun.connect(_remember_sigterm)
signals.task_postrun.connect(_obey_sigterm)
# By alias and not as `broker_transport`, with which kombu would forget the TLS of rediss://.
TRANSPORT_ALIASES.update(
    dict.fromkeys(("redis", "rediss"), "simulations.redis_transport:Transport")
)
app.steps["worker"].add(Interrupt)
app.steps["consumer"].add(Presence)
app.steps["consumer"].add(Sweep)
