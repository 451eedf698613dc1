"""Short questions to Redis, which may refuse, stay silent or never finish a handshake.

Workers, which wait for messages, have connections of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

SOCKET_S = 0.5
PRESENT_S = 10
"""A worker that was not heard of for so long does not listen any more."""
UNAVAILABLE = (OperationalError, RedisError, OSError, ValueError)
TRANSPORT = {
    "socket_connect_timeout": SOCKET_S,
    "socket_timeout": SOCKET_S,
    # Without it kombu connects again and again, for six seconds.
    "max_retries": 0,
    "retry_on_timeout": False,
}
T = TypeVar("T")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect for one question; whatever fails is one of UNAVAILABLE."""
    # A fresh one each time: a pooled one may have died with the last Redis, which only a failed
    # message would tell.
    with Connection(url, connect_timeout=SOCKET_S, transport_options=TRANSPORT) as connection:
        yield connection


def within(limit_s: float, action: Callable[[], T]) -> T:
    """Return what the action returns; TimeoutError after `limit_s`, whatever the action does.

    In a thread, because the look-up of a host's name knows no timeout, and because a peer that
    sends a byte now and then never lets one of a socket expire.
    """
    future: Future[T] = Future()

    def act() -> None:
        try:
            future.set_result(action())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=act, daemon=True, name="redis").start()
    try:
        return future.result(limit_s)
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"no answer within {limit_s:g} s") from error
