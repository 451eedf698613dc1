"""What can be seen of a run at a moment."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from simulations.models import FINISHED
from simulations.streams.log_file import LogFile

Status = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """One look at a run, at a moment of the monotonic clock.

    Without a status the run is deleted, without a size it has no log. Quiet is a log that has not
    changed since the look before; over is a run of which nothing more will come.
    """

    status: Status | None
    log_size: int | None
    is_quiet: bool = False
    is_over: bool = False
    at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def is_final(self) -> bool:
        return self.status is None or self.status["status"] in FINISHED

    @classmethod
    def after(cls, before: Look, status: Status | None, log_size: int | None, at: float) -> Look:
        is_quiet = log_size == before.log_size
        seen = cls(status, log_size, is_quiet, at=at)
        # Not at the first look at a final status: last lines may be written after it.
        is_over = status is None or (is_quiet and before.is_final and seen.is_final)
        return replace(seen, is_over=is_over)


@dataclass(frozen=True)
class Run:
    """A run to follow, and what was seen of it when the client asked."""

    pk: int
    log: LogFile
    first: Look
