"""What a client has received, as the id of an event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

PATTERN = re.compile(r"([0-9]{1,18})(?:-([0-9a-f]{1,18}))?")


class InvalidCursor(ValueError):
    """The text is not an id that a stream has sent."""


@dataclass(frozen=True)
class Cursor:
    """`offset` bytes of the log, and a mark: of the last status, or where the last entry starts."""

    offset: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.offset}-{self.mark}" if self.mark else str(self.offset)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an event's id, or a plain byte offset; raise InvalidCursor."""
        found = PATTERN.fullmatch(text)
        if found is None:
            raise InvalidCursor(
                f"{text[:40]!r} is no position in this stream; give the id of the last event "
                "received, or a byte offset of the log."
            )
        return cls(int(found[1]), found[2] or "")
