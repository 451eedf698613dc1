"""kombu's transport for Redis, which also survives what is no message at all."""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu.transport import redis

logger = logging.getLogger(__name__)


class Channel(redis.Channel):  # type: ignore[misc]  # kombu has no types
    """Drops what cannot be decoded; kombu would let it end the worker, and the runs with it."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.exception("Something in Redis is no message and is dropped.")
            raise Empty from None


class Transport(redis.Transport):  # type: ignore[misc]
    Channel = Channel
