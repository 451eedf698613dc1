"""What Redis is asked: to take a message, and who listens. Every answer comes within a second.

Redis may refuse, stay silent or never finish a handshake; the look-up of its name may hang. A
circuit breaker makes a Redis that is away cost time once in OPEN_S seconds, not for each request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, TypedDict, TypeVar

from django.conf import settings
from kombu import Connection

from intellifl.celery import app
from intellifl.redis_client import PRESENT_S, UNAVAILABLE, connected, within

DEADLINE_S = 0.8
OPEN_S = 5.0
REMEMBERED_S = 2.0
WORKERS = "intellifl.workers"
"""A sorted set of workers' names, each with the time of Redis' own clock when it last spoke."""
logger = logging.getLogger(__name__)
T = TypeVar("T")


class BrokerUnavailable(Exception):
    """Redis did not do it in time, or lately did not; the message says which."""


class Health(TypedDict):
    """Who runs simulations; the keys are those of `/api/health`."""

    redis: Literal["connected", "disconnected"]
    celery_workers: int
    execution_mode: Literal["celery", "subprocess"]


class Breaker:
    """Open for OPEN_S seconds after a failure; `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closes_at = float("-inf")

    def is_open(self) -> bool:
        return self._clock() < self._closes_at

    def open(self) -> None:
        self._closes_at = self._clock() + OPEN_S


class Broker:
    """The Redis at `url`, as publishers use it; safe to use from several threads."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._breaker = Breaker(clock)
        self._is_lost = False
        self._health_lock = threading.Lock()
        self._health: Health | None = None
        self._health_until = float("-inf")

    def publish_if_heard(self, task: str, messages: Sequence[Sequence[Any]]) -> bool:
        """Publish `task` once for each list of arguments if a worker listens; tell whether one did.

        Raises BrokerUnavailable; a message may then have been published all the same.
        """

        def publish(connection: Connection) -> bool:
            if not _workers(connection):
                return False
            for arguments in messages:
                app.send_task(
                    task, args=arguments, connection=connection, retry=False, ignore_result=True
                )
            return True

        return self._ask(publish)

    def workers(self) -> int:
        """Count the workers that listen; raise BrokerUnavailable."""
        return self._ask(_workers)

    def waiting(self) -> int:
        """Count the messages that no worker has taken; raise BrokerUnavailable."""
        return self._ask(lambda c: int(c.default_channel.client.llen(app.conf.task_default_queue)))

    def announce(self, worker: str) -> None:
        """Say that the worker listens, for PRESENT_S seconds from now; raise BrokerUnavailable."""
        self._ask(lambda connection: _announce(connection, worker))

    def withdraw(self, worker: str) -> None:
        """Say that the worker does not listen any more; raise BrokerUnavailable."""
        self._ask(lambda connection: connection.default_channel.client.zrem(WORKERS, worker))

    def health(self) -> Health:
        """Tell whether Redis answers and who listens, as it was at most REMEMBERED_S ago."""
        with self._health_lock:
            if self._health is None or self._clock() >= self._health_until:
                self._health = self._look()
                self._health_until = self._clock() + REMEMBERED_S
            return self._health

    def _look(self) -> Health:
        try:
            workers = self.workers()
        except BrokerUnavailable:
            return Health(redis="disconnected", celery_workers=0, execution_mode="subprocess")
        mode: Literal["celery", "subprocess"] = "celery" if workers else "subprocess"
        return Health(redis="connected", celery_workers=workers, execution_mode=mode)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        if self._breaker.is_open():
            raise BrokerUnavailable(f"Redis failed less than {OPEN_S:g} s ago")
        try:
            answer = within(DEADLINE_S, lambda: self._connected(question))
        except UNAVAILABLE as error:
            self._breaker.open()
            self._tell_lost(error)
            raise BrokerUnavailable(f"Redis cannot be used: {error}") from error
        self._tell_found()
        return answer

    def _connected(self, question: Callable[[Connection], T]) -> T:
        with connected(self._url) as connection:
            return question(connection)

    def _tell_lost(self, error: Exception) -> None:
        if not self._is_lost:
            self._is_lost = True
            logger.warning("Redis cannot be used, the local queue runs simulations: %s", error)

    def _tell_found(self) -> None:
        if self._is_lost:
            self._is_lost = False
            logger.info("Redis answers again.")


def broker() -> Broker:
    """Return the Redis of the settings; one object for each process, so that one breaker counts."""
    return _broker_at(settings.ENVIRONMENT.redis_url)


def health() -> Health:
    """Tell whether Redis answers and who runs simulations, within a second; see `Broker.health`."""
    return broker().health()


@cache
def _broker_at(url: str) -> Broker:
    return Broker(url)


def _workers(connection: Connection) -> int:
    with connection.default_channel.client.pipeline(transaction=False) as pipeline:
        (seconds, _), heard = pipeline.time().zrange(WORKERS, 0, -1, withscores=True).execute()
    return sum(seconds - last <= PRESENT_S for _, last in heard)


def _announce(connection: Connection, worker: str) -> None:
    client = connection.default_channel.client
    seconds, _ = client.time()
    with client.pipeline() as pipeline:
        pipeline.zadd(WORKERS, {worker: seconds})
        pipeline.zremrangebyscore(WORKERS, "-inf", seconds - 10 * PRESENT_S)
        pipeline.execute()
