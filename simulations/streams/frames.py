"""Server-Sent Events as bytes."""

from __future__ import annotations

from typing import Any

from simulations.fl import strict_json

OPENING = b"retry: 3000\n\n"
HEARTBEAT = b": alive\n\n"
# Readers written with str.splitlines() take these for the end of a line.
SPLITTERS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def event(kind: str, event_id: str, data: str = "") -> bytes:
    """Return an event; `data` is from `payload`, so that it has no line of its own."""
    return f"event: {kind}\nid: {event_id}\ndata:{data and ' '}{data}\n\n".encode()


def payload(value: Any) -> str:
    """Return `value` as JSON on one line, whoever splits the lines."""
    return strict_json.dumps(value).translate(SPLITTERS)
