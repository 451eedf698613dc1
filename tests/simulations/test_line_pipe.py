from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import IO

import pytest

from simulations.line_pipe import LinePipe, LineTooLong


@pytest.fixture
def pipe() -> Iterator[tuple[LinePipe, int]]:
    reading, writing = os.pipe()
    stream: IO[bytes]
    with os.fdopen(reading, "rb") as stream:
        yield LinePipe(stream, max_line_bytes=100_000), writing


def test_whole_lines_are_returned_and_a_part_waits_for_its_end(pipe: tuple[LinePipe, int]) -> None:
    lines, writing = pipe
    os.write(writing, b"one\ntwo\nthr")
    assert lines.lines(1) == [b"one", b"two"]
    os.write(writing, b"ee\n")
    assert lines.lines(1) == [b"three"]
    os.close(writing)


def test_it_waits_as_long_as_asked(pipe: tuple[LinePipe, int]) -> None:
    lines, writing = pipe
    started = time.monotonic()
    assert lines.lines(0.1) == [] and time.monotonic() - started >= 0.09
    os.close(writing)


def test_a_last_line_without_end_comes_when_the_pipe_closes(pipe: tuple[LinePipe, int]) -> None:
    lines, writing = pipe
    os.write(writing, b"last")
    assert lines.lines(1) == [] and lines.is_open
    os.close(writing)
    assert lines.lines(1) == [b"last"] and not lines.is_open


def test_blank_lines_are_nothing(pipe: tuple[LinePipe, int]) -> None:
    lines, writing = pipe
    os.write(writing, b"\n\n a \n\n")
    assert lines.lines(1) == [b" a "]
    os.close(writing)


def test_a_line_without_end_is_refused(pipe: tuple[LinePipe, int]) -> None:
    lines, writing = pipe
    with pytest.raises(LineTooLong):
        for _ in range(10):
            os.write(writing, b"x" * 60_000)
            assert lines.lines(1) == []
    os.close(writing)
