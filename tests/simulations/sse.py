"""A strict reader of Server-Sent Events: what a frame may not contain fails the test."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

FIELD = re.compile(r"(event|id|data|retry):(?: (.*))?")


@dataclass(frozen=True)
class Event:
    kind: str
    id: str
    data: str

    @property
    def value(self) -> Any:
        return json.loads(self.data)


@dataclass
class Reader:
    """Give it bytes as they come; it keeps the events, the number of comments and the bytes."""

    events: list[Event] = field(default_factory=list)
    comments: int = 0
    retry_ms: int | None = None
    size: int = 0
    rest: bytes = b""

    def feed(self, data: bytes) -> list[Event]:
        self.size += len(data)
        *blocks, self.rest = (self.rest + data).split(b"\n\n")
        new = [event for event in map(self._block, blocks) if event is not None]
        self.events += new
        return new

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def text(self) -> str:
        return "".join(event.value["text"] for event in self.of("output"))

    def last_id(self) -> str:
        return self.events[-1].id if self.events else ""

    def _block(self, block: bytes) -> Event | None:
        text = block.decode("utf-8")
        lines = text.split("\n")
        # Readers that split lines as Python does must find the same lines.
        assert lines == text.splitlines()
        if lines[0].startswith(":"):
            assert len(lines) == 1
            self.comments += 1
            return None
        fields: dict[str, str] = {}
        for line in lines:
            found = FIELD.fullmatch(line)
            assert found is not None, f"not a field: {line[:200]!r}"
            assert found[1] not in fields, f"twice in one event: {line[:200]!r}"
            fields[found[1]] = found[2] or ""
        if fields.keys() == {"retry"}:
            self.retry_ms = int(fields["retry"])
            return None
        assert fields.keys() == {"event", "id", "data"}
        return Event(fields["event"], fields["id"], fields["data"])


def read(data: bytes) -> Reader:
    reader = Reader()
    reader.feed(data)
    assert reader.rest == b""
    return reader
