"""Entries of a log, however it is cut."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.log_lines import Entry, Head, Place, entries, head_of, whole_characters

INFO = Head("2026-11-24T06:00:00.123+00:00", "INFO")
DATED = "2026-11-24T06:00:00.123 INFO "
TRACE = """\
2026-11-24T06:00:01.000 ERROR the client failed
Traceback (most recent call last):
  File "client.py", line 3, in train
    1 / 0

ZeroDivisionError: division by zero
2026-11-24T06:00:02.000 INFO round 2
"""
FRAGMENTS = [
    DATED.encode(),
    b"2027-01-01 00:00:00,5 ERROR ",
    b"2026-11-24T06:00:00.123 INF",
    b"\n",
    b"\r\n",
    b"\r",
    b"data: x",
    "ü\u2028€😀\x85".encode(),
    b"\xff\xe2\x82",
    b"  File x, line 1",
    b"\x00",
]
LOGS = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(b"".join)


def all_of(data: bytes) -> list[Entry]:
    found = entries(data, Place(), is_end=True, is_full=False)
    return [entry for entry, _ in found]


def by_lines(data: bytes) -> list[tuple[str | None, str, str]]:
    """Parse a whole log another way: line by line, from text."""
    dated = re.compile(
        r"(\d\d\d\d-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)[.,](\d+) ([A-Z]+)(?: (.*))?", re.DOTALL
    )
    found: list[list[str | None]] = []
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    for line in lines:
        match = dated.fullmatch(line)
        if match:
            time = f"{match[1]}T{match[2]}.{match[3]}+00:00"
            found.append([time, match[4], match[5] or ""])
        elif found:
            found[-1][2] = f"{found[-1][2]}\n{line}"
        else:
            found.append([None, "INFO", line])
    return [(time, level or "", message or "") for time, level, message in found]


def as_read(data: bytes, limit: int, growth: list[int]) -> list[tuple[str | None, str, str]]:
    """Read a log as it grows, at most `limit` bytes at once; join the parts of an entry."""
    joined: list[tuple[int, Head, str]] = []
    place = Place()
    sizes = sorted({min(size, len(data)) for size in growth} | {len(data)})
    for size in sizes:
        is_last = size == len(data)
        while True:
            chunk = data[place.offset : min(size, place.offset + limit)]
            reaches_end = place.offset + len(chunk) == size
            found = entries(
                chunk, place, is_end=is_last and reaches_end, is_full=len(chunk) == limit
            )
            if not found:
                break
            for entry, after in found:
                if joined and joined[-1][0] == after.start and place.offset > 0:
                    glue = "" if place.in_line else "\n"
                    joined[-1] = (after.start, entry.head, joined[-1][2] + glue + entry.message)
                else:
                    joined.append((after.start, entry.head, entry.message))
                place = after
    return [(head.timestamp, head.level, message) for _, head, message in joined]


def test_a_trace_belongs_to_the_entry_before_it() -> None:
    first, second = all_of(TRACE.encode())
    assert first.head == Head("2026-11-24T06:00:01.000+00:00", "ERROR")
    assert (
        first.message == "\n".join(TRACE.splitlines()[:-1])[len("2026-11-24T06:00:01.000 ERROR ") :]
    )
    assert second.message == "round 2"


@pytest.mark.parametrize(
    ("line", "timestamp"),
    [
        ("2026-11-24T06:00:00.123 INFO m", "2026-11-24T06:00:00.123+00:00"),
        ("2026-11-24 06:00:00,123 INFO m", "2026-11-24T06:00:00.123+00:00"),
        ("2026-11-24T06:00:00 INFO m", "2026-11-24T06:00:00.000+00:00"),
        ("2026-11-24T06:00:00.5Z INFO m", "2026-11-24T06:00:00.5Z"),
        ("2026-11-24T06:00:00.123+01:00 INFO m", "2026-11-24T06:00:00.123+01:00"),
    ],
)
def test_a_time_is_given_with_its_offset(line: str, timestamp: str) -> None:
    assert all_of(line.encode()) == [Entry(Head(timestamp, "INFO"), "m")]


@pytest.mark.parametrize("line", ["2026-11-24 INFO m", "INFO m", "2026-11-24T06:00:00.123 info m"])
def test_other_lines_are_undated(line: str) -> None:
    assert all_of(line.encode()) == [Entry(Head(None, "INFO"), line)]
    assert head_of(line.encode()) == Head(None, "INFO")


def test_lines_before_the_first_dated_one_are_an_entry_without_a_time() -> None:
    found = all_of(f"warning: x\n  more\n{DATED}begin\n".encode())
    assert found == [Entry(Head(None, "INFO"), "warning: x\n  more"), Entry(INFO, "begin")]


def test_the_last_entry_waits_for_what_may_belong_to_it() -> None:
    log = f"{DATED}a\n{DATED}b\n  half".encode()
    growing = entries(log, Place(), is_full=False)
    assert [entry.message for entry, _ in growing] == ["a"]
    quiet = entries(log, Place(), is_quiet=True, is_full=False)
    assert [entry.message for entry, _ in quiet] == ["a", "b"]
    assert quiet[-1][1] == Place(len(log) - 6, len(DATED) + 2, INFO)


def test_what_comes_later_has_the_head_of_the_entry_it_belongs_to() -> None:
    [(_, place)] = entries(f"{DATED}a\n".encode(), Place(), is_quiet=True, is_full=False)
    found = entries(b"  more\n", place, is_quiet=True, is_full=False)
    assert [entry for entry, _ in found] == [Entry(INFO, "  more")]


def test_a_long_line_comes_in_parts_which_no_time_within_it_splits() -> None:
    limit = 64
    message = f"{'x' * (limit - len(DATED))}{DATED}{'y' * 200}"
    log = f"{DATED}{message}\n".encode()
    assert log[limit:].startswith(DATED.encode())
    assert as_read(log, limit, []) == [(INFO.timestamp, "INFO", message)]


@given(LOGS, st.integers(40, 200), st.lists(st.integers(0, 300), max_size=6))
def test_entries_are_the_same_however_the_log_is_read(
    data: bytes, limit: int, growth: list[int]
) -> None:
    # A carriage return before a cut cannot be known to end a line.
    plain = re.sub(rb"\r+\n", b"\n", data)
    assert as_read(plain, limit, growth) == by_lines(plain)


@given(LOGS)
def test_a_log_at_once_is_parsed_line_by_line(data: bytes) -> None:
    found = [(entry.head.timestamp, entry.head.level, entry.message) for entry in all_of(data)]
    assert found == by_lines(data)


@given(LOGS, st.integers(4, 20))
def test_characters_are_never_cut(data: bytes, limit: int) -> None:
    texts, offset = [], 0
    while offset < len(data):
        chunk = data[offset : offset + limit]
        size = whole_characters(chunk) if offset + limit < len(data) else len(chunk)
        assert size > limit - 4 or offset + limit >= len(data)
        texts.append(chunk[:size].decode("utf-8", "replace"))
        offset += size
    assert "".join(texts) == data.decode("utf-8", "replace")


def test_places_only_go_forward() -> None:
    found = entries(TRACE.encode() * 3, Place(), is_end=True, is_full=False)
    offsets = [place.offset for _, place in found]
    assert all(a < b for a, b in itertools.pairwise(offsets))
    assert offsets[-1] == len(TRACE) * 3
