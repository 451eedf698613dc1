"""How fast and how much one client is sent.

A server without write back-pressure keeps in memory what a client does not read, so the memory that
a stalled client costs is bounded here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bytes sent at once, bytes per second after that, bytes in all; seconds between heartbeats."""

    burst_bytes: int = 1 << 20
    bytes_per_s: int = 256 << 10
    total_bytes: int = 32 << 20
    heartbeat_s: float = 10.0


DEFAULT_LIMITS = Limits()


class Pace:
    """The allowance of one response, refilled with time; `now` is in seconds."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._allowance: float = limits.burst_bytes
        self._left = limits.total_bytes
        self._at = now

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    async def wait(self, sent_bytes: int, clock: Callable[[], float]) -> None:
        """Count what was just sent, and wait for as long as nothing more may be sent."""
        delay_s = self.delay_s(sent_bytes, clock())
        if delay_s > 0:
            await asyncio.sleep(delay_s)

    def delay_s(self, sent_bytes: int, now: float) -> float:
        """Count what was just sent; return how long to send nothing more."""
        refill = (now - self._at) * self._limits.bytes_per_s
        self._allowance = min(self._limits.burst_bytes, self._allowance + refill) - sent_bytes
        self._left -= sent_bytes
        self._at = now
        return max(0.0, -self._allowance / self._limits.bytes_per_s)
