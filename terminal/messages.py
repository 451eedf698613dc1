"""What is said through the WebSocket besides keys and output.

Two dialects. A client that asks for the subprotocol `intellifl.terminal.1`, as our panel does:

- binary frames are keys and output, as bytes;
- text frames are JSON objects: `{"type": "resize", "cols": 120, "rows": 40}`, `{"type": "ack",
  "bytes": n}` for output that was shown, `{"type": "close"}` to end the shell; and from the server
  `attached` (the terminal's id, whether it is `resumed`, how many bytes of `replay` come next),
  `error` (`detail`) and `ended` (`reason`).

Any other client: text frames are keys and output, but for the resize message. There is no
acknowledgement, and the shell ends with the connection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from terminal.pty import Size

SUBPROTOCOL = "intellifl.terminal.1"
MAX_CHARACTERS = 1000
MAX_MESSAGE = 1024


class MessageError(ValueError):
    """A message that cannot be followed; the text says why."""


@dataclass(frozen=True)
class Ack:
    """So many bytes of output were shown."""

    size: int


@dataclass(frozen=True)
class Close:
    """The shell is to end."""


def control(text: str) -> Size | Ack | Close:
    """Read a text frame of our dialect; raises MessageError."""
    message = _object(text)
    if message is None:
        raise MessageError(f"not a JSON object of at most {MAX_MESSAGE} characters")
    match message.get("type"):
        case "resize":
            return _size(message)
        case "ack":
            return Ack(_whole(message, "bytes", 2**53))
        case "close":
            return Close()
    raise MessageError("type must be resize, ack or close")


def keys_or_size(text: str) -> str | Size:
    """Read a text frame of the plain dialect; raises MessageError for a resize that is wrong."""
    message = _object(text)
    return _size(message) if message and message.get("type") == "resize" else text


def error(detail: str) -> str:
    return json.dumps({"type": "error", "detail": detail})


def attached(terminal_id: str, is_resumed: bool, replay_bytes: int) -> str:
    return json.dumps(
        {"type": "attached", "terminal": terminal_id, "resumed": is_resumed, "replay": replay_bytes}
    )


def ended(reason: str) -> str:
    return json.dumps({"type": "ended", "reason": reason})


def _object(text: str) -> dict[str, Any] | None:
    if len(text) > MAX_MESSAGE or not text.lstrip().startswith("{"):
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _size(message: dict[str, Any]) -> Size:
    cols = _whole(message, "cols", MAX_CHARACTERS)
    return Size(rows=_whole(message, "rows", MAX_CHARACTERS), cols=cols)


def _whole(message: dict[str, Any], name: str, maximum: int) -> int:
    value = message.get(name)
    # True is an int to Python.
    if type(value) is not int or not 1 <= value <= maximum:
        given = json.dumps(value)[:40] if name in message else "nothing"
        raise MessageError(f"{name} must be a whole number from 1 to {maximum}, not {given}")
    return value
