"""Entries of a run's log: each dated line with the undated lines, such as a trace, after it.

A dated line is `2026-11-24T06:00:00.123 INFO message`; a space for the T and a comma for the point
are read too, and a time without an offset is UTC. What stands before the first dated line is an
entry without a time.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_HEAD_BYTES = 64
HEAD = re.compile(
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)? ([A-Z]{3,10})"
    rb"(?: |(?=\r?\n|$))"
)


@dataclass(frozen=True)
class Head:
    """When an entry was written, as ISO 8601 with offset, and its level."""

    timestamp: str | None
    level: str


UNDATED = Head(None, "INFO")


@dataclass(frozen=True)
class Entry:
    """One entry; the parts of one that is too long to be read at once share the head."""

    head: Head
    message: str


@dataclass(frozen=True)
class Place:
    """Where a reader stands: `offset` is the next byte, `start` and `head` tell of the last entry.

    That entry goes on if the next line is undated, or in any case if the place is `in_line`.
    """

    offset: int = 0
    start: int = 0
    head: Head = UNDATED
    in_line: bool = False


def head_of(line: bytes) -> Head:
    """Return the head that a line begins with, UNDATED if it has none."""
    found = HEAD.match(line)
    return UNDATED if found is None else _head(found)


def entries(
    chunk: bytes, place: Place, *, is_quiet: bool = False, is_end: bool = False, is_full: bool
) -> list[tuple[Entry, Place]]:
    """Return the entries of `chunk`, which begins at `place`, each with the place after it.

    The last entry is held back, because it may go on in what comes, unless nothing came for a while
    (`is_quiet`: its whole lines are returned), nothing will come (`is_end`), or no more can be
    read at once (`is_full`: then at least a part of one entry is returned).
    """
    usable = chunk if is_end else chunk[: chunk.rfind(b"\n") + 1]
    found = list(_split(usable, place))
    if not is_end and not is_quiet:
        found = found[:-1]
    if found or not is_full:
        return found
    return list(_split(usable or chunk[: whole_characters(chunk)], place))


def whole_characters(chunk: bytes) -> int:
    """Return how many bytes of `chunk` are left without a UTF-8 character cut off at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(chunk)
    return len(chunk) - len(decoder.getstate()[0])


def _split(chunk: bytes, place: Place) -> Iterator[tuple[Entry, Place]]:
    head, start, body, at = place.head, place.start, 0, 0
    for line in _lines(chunk):
        dated = None if at == 0 and place.in_line else HEAD.match(line)
        if dated is not None:
            if at > 0:
                yield _entry(head, chunk[body:at]), Place(place.offset + at, start, head)
            head, start, body = _head(dated), place.offset + at, at + dated.end()
        at += len(line)
    if at > 0:
        in_line = not chunk.endswith(b"\n")
        yield _entry(head, chunk[body:]), Place(place.offset + at, start, head, in_line)


def _lines(chunk: bytes) -> Iterator[bytes]:
    # Not splitlines(), for which a carriage return alone ends a line.
    *whole, rest = chunk.split(b"\n")
    for line in whole:
        yield line + b"\n"
    if rest:
        yield rest


def _entry(head: Head, body: bytes) -> Entry:
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    return Entry(head, text.removesuffix("\n"))


def _head(found: re.Match[bytes]) -> Head:
    day, time, fraction, offset, level = (part.decode() for part in found.groups(b""))
    return Head(f"{day}T{time}.{fraction or '000'}{offset or '+00:00'}", level)
