"""The Celery application of short tasks beside the runs, whose results are kept and shown.

An application of its own: its workers must not count as workers that run simulations, and a
simulation that takes hours must not hold its tasks up.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery import Celery, bootsteps, signals

from intellifl.environment import environment
from intellifl.redis_client import PRESENT_S, UNAVAILABLE, connected, within

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intellifl.settings")

DEADLINE_S = 2.0
BEAT_S = 3.0
SHUTDOWN_S = 9.0
LISTENS = "intellifl.housekeeping.listens"
logger = logging.getLogger(__name__)


class Presence(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Says in Redis that a worker listens, for as long as its event loop takes messages."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    _timer: Any = None

    def start(self, consumer: Any) -> None:
        _announce()
        self._timer = consumer.timer.call_repeatedly(BEAT_S, _announce)

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        _ask(app.conf.broker_url, lambda client: client.delete(LISTENS))


class Interrupt(bootsteps.StartStopStep):  # type: ignore[misc]
    """Ends the task that runs SHUTDOWN_S after the worker is told to end; Celery would wait."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        self._pool = worker.pool
        signals.worker_shutting_down.connect(self._begin)

    def _begin(self, **_: Any) -> None:
        timer = threading.Timer(SHUTDOWN_S, self._kill)
        timer.daemon = True
        timer.start()

    def _kill(self) -> None:
        for pid in list(self._pool.info["processes"]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


app = Celery("intellifl.housekeeping", include=["datasets_app.tasks"], set_as_current=False)
app.conf.update(
    broker_url=environment().redis_url,
    broker_transport_options={"socket_keepalive": True, "socket_connect_timeout": 10},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue="intellifl.housekeeping",
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    result_backend="django-db",
    result_extended=True,
    result_expires=None,
    task_publish_retry=False,
    # What the libraries of a task load goes with its process.
    worker_max_tasks_per_child=1,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)
app.steps["consumer"].add(Presence)
app.steps["worker"].add(Interrupt)


def send_if_heard(url: str, task: str, arguments: list[Any]) -> bool:
    """Publish a task if one of our workers listens at the Redis `url`; tell whether one does.

    Takes at most DEADLINE_S, whatever Redis does.
    """
    try:
        return within(DEADLINE_S, lambda: _send_if_heard(url, task, arguments))
    except UNAVAILABLE:
        return False


def _send_if_heard(url: str, task: str, arguments: list[Any]) -> bool:
    with connected(url) as connection:
        if not connection.default_channel.client.exists(LISTENS):
            return False
        app.send_task(task, args=arguments, connection=connection, retry=False)
        return True


def _announce() -> None:
    _ask(app.conf.broker_url, lambda client: client.set(LISTENS, 1, ex=PRESENT_S))


def _ask(url: str, question: Callable[[Any], object]) -> None:
    """Ask Redis something; that it is away is no harm, the worker itself waits for it."""
    try:
        with connected(url) as connection:
            question(connection.default_channel.client)
    except UNAVAILABLE as error:
        logger.debug("Redis cannot be told who listens: %s", error)
