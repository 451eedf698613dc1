"""What a fetch tells while it works."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Step:
    """What is done, and how many bytes of it; `total_bytes` 0 means that nobody knows."""

    text: str
    done_bytes: int = 0
    total_bytes: int = 0

    def __str__(self) -> str:
        if not self.total_bytes:
            return self.text
        done, total = self.done_bytes / MEGABYTE, self.total_bytes / MEGABYTE
        return f"{self.text} ({f'{done:.1f} of ' if self.done_bytes else ''}{total:.1f} MB)"


Report = Callable[[Step], None]


def on_stderr(every_s: float = 2.0) -> Report:
    """Return a report that prints each new step, and how far it is every `every_s` seconds."""
    last, last_at = Step(""), 0.0

    def report(step: Step) -> None:
        nonlocal last, last_at
        is_due = time.monotonic() - last_at >= every_s
        if step.text != last.text or (is_due and step != last):
            last, last_at = step, time.monotonic()
            print(step, file=sys.stderr, flush=True)

    return report
