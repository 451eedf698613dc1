"""What a client that has received all up to its cursor is sent next, as pure functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b

from simulations.log_lines import (
    MAX_HEAD_BYTES,
    UNDATED,
    Entry,
    Head,
    Place,
    entries,
    head_of,
    whole_characters,
)
from simulations.streams import frames
from simulations.streams.cursor import Cursor
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look

Source = Callable[[LogFile, Cursor, Look], tuple[bytes, Cursor]]
"""Returns the next frame and the cursor after it: of what is in sight, about a chunk of the log.

Nothing new is b"".
"""
CHUNK_BYTES = 64 << 10
RESTARTED = "The log was replaced by a shorter one; it starts again here."


def output(log: LogFile, cursor: Cursor, look: Look) -> tuple[bytes, Cursor]:
    """Give a new status as `status`, and the log's text as `output`."""
    status, cursor = _status(cursor, look)
    text, cursor = _output(log, cursor, look)
    return status + text, cursor


def log_entries(log: LogFile, cursor: Cursor, look: Look) -> tuple[bytes, Cursor]:
    """Give the log's entries, each as `log`; the cursor's mark is where the last one starts."""
    if look.log_size is None or look.log_size == cursor.offset:
        return b"", cursor
    if look.log_size < cursor.offset:
        return _entry(Entry(Head(_now(), "WARNING"), RESTARTED), Cursor(0, "0"))
    chunk = log.read(cursor.offset, min(CHUNK_BYTES, look.log_size - cursor.offset))
    reaches_end = cursor.offset + len(chunk) == look.log_size
    found = entries(
        chunk,
        _place(log, cursor),
        is_quiet=look.is_quiet and reaches_end,
        is_end=look.is_over and reaches_end,
        is_full=len(chunk) == CHUNK_BYTES,
    )
    events = [_entry(entry, Cursor(place.offset, str(place.start))) for entry, place in found]
    return b"".join(event for event, _ in events), events[-1][1] if events else cursor


def done(cursor: Cursor) -> bytes:
    return frames.event("done", str(cursor))


def _status(cursor: Cursor, look: Look) -> tuple[bytes, Cursor]:
    if look.status is None:
        return b"", cursor
    data = frames.payload(look.status)
    after = Cursor(cursor.offset, blake2b(data.encode(), digest_size=6).hexdigest())
    return (frames.event("status", str(after), data) if after != cursor else b""), after


def _output(log: LogFile, cursor: Cursor, look: Look) -> tuple[bytes, Cursor]:
    if look.log_size is None or look.log_size == cursor.offset:
        return b"", cursor
    if look.log_size < cursor.offset:
        return _text(f"[{RESTARTED}]\n", Cursor(0, cursor.mark))
    chunk = log.read(cursor.offset, min(CHUNK_BYTES, look.log_size - cursor.offset))
    is_end = look.is_over and cursor.offset + len(chunk) == look.log_size
    whole = chunk if is_end else chunk[: whole_characters(chunk)]
    if not whole:
        return b"", cursor
    after = Cursor(cursor.offset + len(whole), cursor.mark)
    return _text(whole.decode("utf-8", "replace"), after)


def _place(log: LogFile, cursor: Cursor) -> Place:
    """Return the cursor's place with what the log itself tells of the entry that ends there."""
    # A mark of the other stream, or none, names no entry.
    start = int(cursor.mark) if cursor.mark.isdecimal() else cursor.offset
    head = head_of(log.read(start, MAX_HEAD_BYTES)) if start < cursor.offset else UNDATED
    in_line = cursor.offset > 0 and log.read(cursor.offset - 1, 1) != b"\n"
    return Place(cursor.offset, start, head, in_line)


def _text(text: str, after: Cursor) -> tuple[bytes, Cursor]:
    return frames.event("output", str(after), frames.payload({"text": text})), after


def _entry(entry: Entry, after: Cursor) -> tuple[bytes, Cursor]:
    record = {
        "timestamp": entry.head.timestamp,
        "level": entry.head.level,
        "message": entry.message,
    }
    return frames.event("log", str(after), frames.payload(record)), after


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
