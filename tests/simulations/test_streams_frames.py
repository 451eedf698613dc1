"""Events as bytes, their ids, and how fast they may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.streams import frames
from simulations.streams.cursor import Cursor, InvalidCursor
from simulations.streams.pace import Limits, Pace
from simulations.streams.sources import done
from tests.simulations.sse import Event, read

NASTY = "a\rb\r\nc\n\ndata: x\x00\x85\u2028\u2029\x0b\x1c€😀\ufeff"
MARKS = st.text("0123456789abcdef", max_size=18)


def test_nothing_in_a_text_breaks_a_frame() -> None:
    frame = frames.event("output", "1-a", frames.payload({"text": NASTY}))
    reader = read(frame)
    assert [event.value for event in reader.events] == [{"text": NASTY}]


@given(st.text())
def test_a_payload_is_one_line_and_comes_back(text: str) -> None:
    data = frames.payload({"text": text})
    assert read(frames.event("output", "0", data)).text() == text


def test_the_last_event_has_an_empty_data_line() -> None:
    assert done(Cursor(7, "0")) == b"event: done\nid: 7-0\ndata:\n\n"


def test_the_opening_and_the_heartbeat_are_no_events() -> None:
    reader = read(frames.OPENING + frames.HEARTBEAT)
    assert (reader.events, reader.comments, reader.retry_ms) == ([], 1, 3000)
    assert read(done(Cursor())).events == [Event("done", "0", "")]


@given(st.integers(0, 10**18 - 1), MARKS)
def test_an_id_is_read_as_it_was_written(offset: int, mark: str) -> None:
    assert Cursor.parse(str(Cursor(offset, mark))) == Cursor(offset, mark)


@pytest.mark.parametrize(
    "text", ["x", "-1", "1-", "1-z", "1 ", "1\n", "٣", "1" * 19, "1-a-b", "1.5"]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor, match="is no position in this stream"):
        Cursor.parse(text)


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    pace = Pace(Limits(burst_bytes=1000, bytes_per_s=100, total_bytes=10**6), now=0.0)
    assert pace.delay_s(1000, now=0.0) == 0.0
    assert pace.delay_s(50, now=0.0) == 0.5
    assert pace.delay_s(50, now=0.5) == 0.5
    assert pace.delay_s(100, now=11.0) == 0.0


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 5)), max_size=50))
def test_no_more_is_sent_than_the_limits_allow(steps: list[tuple[int, float]]) -> None:
    limits = Limits(burst_bytes=1000, bytes_per_s=100, total_bytes=50_000)
    pace, now, sent = Pace(limits, now=0.0), 0.0, 0
    for size, waited in steps:
        if pace.is_spent:
            break
        now += pace.delay_s(size, now)
        sent += size
        assert sent <= limits.burst_bytes + limits.bytes_per_s * now + 1e-6
        now += waited
    assert pace.is_spent == (sent >= limits.total_bytes)
