"""What a client receives of a log, however it grows and however often the client breaks off."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.streams import sources
from simulations.streams.cursor import Cursor
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look
from simulations.streams.sources import Source, done, log_entries, output
from tests.simulations.sse import Event, Reader
from tests.simulations.test_log_lines import DATED, LOGS, TRACE, by_lines

RUNNING = {"status": "running", "progress": 0.5, "error": None}
COMPLETED = {"status": "completed", "progress": 1.0, "error": None}
STEPS = st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=8)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHUNK_BYTES", 48)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.log"


class ClientOf:
    """Receives what a source gives; at a break, begins anew from the last id."""

    def __init__(self, source: Source, run_dir: Path) -> None:
        self.source = source
        self.log = LogFile(run_dir)
        self.cursor = Cursor()
        self.reader = Reader()

    def see(self, status: Any = RUNNING, **flags: bool) -> list[Event]:
        look = Look(status, self.log.size(), **flags)
        new: list[Event] = []
        while True:
            frame, self.cursor = self.source(self.log, self.cursor, look)
            if not frame:
                return new
            new += self.reader.feed(frame)
            assert self.reader.rest == b""
            assert self.reader.last_id() == str(self.cursor)

    def break_off(self) -> None:
        self.cursor = Cursor.parse(self.reader.last_id() or "0")

    def entries(self) -> list[tuple[str | None, str, str]]:
        keys = ("timestamp", "level", "message")
        return [tuple(event.value[key] for key in keys) for event in self.reader.of("log")]


def grown(source: Source, data: bytes, steps: list[tuple[int, bool]]) -> ClientOf:
    """Let a client follow a log that grows by steps, with or without a break after each."""
    with tempfile.TemporaryDirectory() as folder:
        client = ClientOf(source, Path(folder))
        client.see()
        with (Path(folder) / "output.log").open("ab", buffering=0) as log:
            for size, is_broken in steps:
                log.write(data[log.tell() : log.tell() + size])
                client.see()
                if is_broken:
                    client.break_off()
            log.write(data[log.tell() :])
        client.see(COMPLETED, is_quiet=True, is_over=True)
        client.break_off()
        assert client.see(COMPLETED, is_quiet=True, is_over=True) == []
        client.reader.feed(done(client.cursor))
        return client


@given(data=LOGS, steps=STEPS)
def test_the_output_is_the_log_whatever_happens(data: bytes, steps: list[tuple[int, bool]]) -> None:
    client = grown(output, data, steps)
    assert client.reader.text() == data.decode("utf-8", "replace")
    assert [event.value for event in client.reader.of("status")] == [RUNNING, COMPLETED]
    assert client.reader.events[-1].kind == "done"


@given(data=LOGS, steps=STEPS)
def test_the_entries_are_those_of_the_log_whatever_happens(
    data: bytes, steps: list[tuple[int, bool]]
) -> None:
    client = grown(log_entries, data, steps)
    assert client.entries() == by_lines(data)


def test_small_reads_lose_and_repeat_nothing(small_chunks: None) -> None:
    data = ("ä€😀\u2028" * 50 + "\n").encode() * 3
    client = grown(output, data, [(7, True)] * 40)
    assert client.reader.text().encode() == data
    assert len(client.reader.of("output")) > len(data) // 48


def test_an_entry_longer_than_a_read_comes_in_parts_of_one_head(small_chunks: None) -> None:
    line = f"{DATED}{'€' * 100}end\n"
    client = grown(log_entries, line.encode(), [(60, True), (60, True), (50, True)])
    times, levels, messages = zip(*client.entries(), strict=True)
    assert set(times) == {"2026-11-24T06:00:00.123+00:00"} and set(levels) == {"INFO"}
    assert "".join(messages) == "€" * 100 + "end"


def test_a_time_within_a_line_that_is_cut_there_begins_no_entry(small_chunks: None) -> None:
    message = f"{'x' * (48 - len(DATED))}{DATED}{'y' * 100}"
    entries = grown(log_entries, f"{DATED}{message}\n".encode(), [(48, True)]).entries()
    assert "".join(text for _, _, text in entries) == message


def test_a_line_of_ten_megabytes_arrives_whole() -> None:
    data = b"data: " + b"x" * (10 << 20) + b"\r\n"
    client = grown(output, data, [])
    assert client.reader.text().encode() == data
    assert max(len(event.data) for event in client.reader.events) < 100_000
    parts = grown(log_entries, data, []).entries()
    assert "".join(message for _, _, message in parts) == data.decode().rstrip("\r\n")


def test_a_growing_trace_is_one_entry(log: Path) -> None:
    client = ClientOf(log_entries, log.parent)
    for line in TRACE.encode().splitlines(keepends=True):
        with log.open("ab") as file:
            file.write(line)
        client.see()
    assert [message.count("\n") for _, _, message in client.entries()] == [5]
    client.see(is_quiet=True)
    assert client.entries() == by_lines(TRACE.encode())


def test_a_line_that_comes_late_keeps_the_head_of_its_entry_after_a_break(log: Path) -> None:
    client = ClientOf(log_entries, log.parent)
    log.write_text(f"{DATED}a\n")
    client.see(is_quiet=True)
    client.break_off()
    log.write_text(f"{DATED}a\n  more\n")
    client.see(is_quiet=True)
    assert [(level, message) for _, level, message in client.entries()] == [
        ("INFO", "a"),
        ("INFO", "  more"),
    ]
    assert client.entries()[0][0] == client.entries()[1][0] is not None


def test_half_a_character_waits_for_the_other_half_or_for_the_end(log: Path) -> None:
    client = ClientOf(output, log.parent)
    log.write_bytes(b"a\xe2\x82")
    client.see(is_quiet=True)
    assert client.reader.text() == "a"
    log.write_bytes("a€".encode() + b"\xf0\x9f")
    client.see()
    assert client.reader.text() == "a€"
    client.see(COMPLETED, is_quiet=True, is_over=True)
    assert client.reader.text() == "a€\ufffd"


@pytest.mark.parametrize("key", list(RUNNING))
def test_each_changed_value_of_the_status_is_sent_once(log: Path, key: str) -> None:
    client = ClientOf(output, log.parent)
    client.see()
    changed = {**RUNNING, key: "other"}
    assert [event.value for event in client.see(changed)] == [changed]
    assert client.see(changed) == []
    client.break_off()
    assert client.see(changed) == []
    assert [event.value for event in client.see(RUNNING)] == [RUNNING]


def texts(client: ClientOf) -> list[str]:
    return [
        event.value["message"] if event.kind == "log" else event.value["text"]
        for event in client.reader.events
        if event.kind != "status"
    ]


@pytest.mark.parametrize("source", [output, log_entries])
@pytest.mark.parametrize("is_broken", [False, True])
def test_a_shorter_log_starts_again_with_a_note(log: Path, source: Source, is_broken: bool) -> None:
    client = ClientOf(source, log.parent)
    log.write_text(f"{DATED}first\n{DATED}second\n")
    client.see(is_quiet=True)
    if is_broken:
        client.break_off()
    log.write_text(f"{DATED}new\n")
    client.see(is_quiet=True)
    *_, note, last = texts(client)
    assert "replaced by a shorter one; it starts again here" in note
    assert last.strip().endswith("new")
    client.see(is_quiet=True)
    assert texts(client)[-1] == last


@pytest.mark.parametrize("source", [output, log_entries])
def test_a_log_that_goes_and_comes_back_is_continued(log: Path, source: Source) -> None:
    client = ClientOf(source, log.parent)
    client.see(is_quiet=True)
    log.write_text(f"{DATED}first\n")
    client.see(is_quiet=True)
    log.rename(log.with_name("away"))
    assert client.see(is_quiet=True) == []
    log.with_name("away").rename(log)
    with log.open("a") as file:
        file.write(f"{DATED}second\n")
    client.see(is_quiet=True)
    assert [text.count("first") for text in texts(client)] == [1, 0]


def make_link(log: Path) -> None:
    secret = log.with_name("secret")
    secret.write_text("secret")
    log.symlink_to(secret)


@pytest.mark.parametrize("make", [make_link, os.mkfifo, Path.mkdir])
def test_what_is_no_regular_file_is_a_missing_log(log: Path, make: Callable[[Path], Any]) -> None:
    make(log)
    file = LogFile(log.parent)
    assert file.size() is None
    assert file.read(0, 10) == b""


def test_a_plain_offset_is_a_cursor_too(log: Path) -> None:
    log.write_text(f"{DATED}first\n{DATED}second\n")
    client = ClientOf(log_entries, log.parent)
    client.cursor = Cursor.parse(str(len(DATED) + 6))
    client.see(is_quiet=True)
    assert texts(client) == ["second"]
    client = ClientOf(output, log.parent)
    client.cursor = Cursor.parse(str(len(DATED) + 6))
    client.see()
    assert client.reader.text() == f"{DATED}second\n"
    assert len(client.reader.of("status")) == 1
