"""The body of a stream, without a server."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import pytest

from simulations.streams.cursor import Cursor
from simulations.streams.follow import follow
from simulations.streams.frames import OPENING
from simulations.streams.hub import Hub
from simulations.streams.pace import Limits
from simulations.streams.sources import log_entries, output
from tests.simulations.sse import Reader
from tests.simulations.stream_clients import (
    COMPLETED,
    LINE,
    QUEUED,
    RUNNING,
    Client,
    Runs,
    kinds,
    play,
)


def test_the_first_bytes_and_the_status_come_at_once(runs: Runs) -> None:
    async def scene() -> None:
        runs.hub = Hub(runs.statuses, poll_s=600)
        runs.write(LINE)
        body = follow(runs.hub, runs.run(), output, Cursor())
        assert await anext(body) == OPENING
        reader = Reader()
        reader.feed(await anext(body))
        assert [event.kind for event in reader.events] == ["status", "output"]
        assert reader.events[0].value == RUNNING
        await body.aclose()  # type: ignore[attr-defined]

    play(scene)


def test_a_run_is_followed_from_the_queue_to_its_end(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[1] = QUEUED
        client = Client(runs)
        await client.until(lambda: client.reader.of("status"))
        runs.rows[1] = RUNNING
        await client.until(lambda: len(client.reader.of("status")) == 2)
        runs.write(LINE * 3)
        await client.until(lambda: client.reader.text() == LINE * 3)
        runs.write(LINE)
        runs.rows[1] = COMPLETED
        await client.until_closed()
        assert [event.value for event in client.reader.of("status")] == [QUEUED, RUNNING, COMPLETED]
        assert client.reader.text() == LINE * 4
        assert kinds(client).count("done") == 1 and kinds(client)[-1] == "done"

    play(scene)


@pytest.mark.parametrize(("source", "expected"), [(output, "output"), (log_entries, "log")])
def test_lines_written_after_the_final_status_still_arrive(
    runs: Runs, source: Any, expected: str
) -> None:
    async def scene() -> None:
        runs.hub = Hub(runs.statuses, poll_s=0.2)
        client = Client(runs, source)
        await client.until(lambda: runs.asked)
        runs.rows[1] = COMPLETED
        asked = len(runs.asked)
        await client.until(lambda: len(runs.asked) > asked)
        runs.write(LINE)
        await client.until_closed()
        assert kinds(client)[-2:] == [expected, "done"]

    play(scene)


def test_a_finished_run_is_replayed_and_done(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[1] = COMPLETED
        runs.write(LINE)
        client = Client(runs)
        await client.until_closed()
        assert kinds(client) == ["status", "output", "done"]

    play(scene)


@pytest.mark.parametrize("source", [output, log_entries])
def test_a_deleted_run_is_done(runs: Runs, source: Any) -> None:
    async def scene() -> None:
        runs.write(LINE)
        client = Client(runs, source)
        await client.until(lambda: runs.asked)
        del runs.rows[1]
        runs.log().unlink()
        await client.until_closed()
        assert kinds(client)[-1] == "done"

    play(scene)


def test_a_run_without_a_log_has_only_a_status(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[1] = COMPLETED
        client = Client(runs)
        await client.until_closed()
        assert kinds(client) == ["status", "done"]

    play(scene)


def test_comments_come_while_nothing_happens_and_while_much_does(runs: Runs) -> None:
    async def scene() -> None:
        client = Client(runs, heartbeat_s=0.1)
        await client.until(lambda: client.reader.comments == 3)
        assert kinds(client) == ["status"]
        before = client.reader.comments
        for _ in range(30):
            runs.write(LINE)
            await asyncio.sleep(0.02)
        assert client.reader.comments >= before + 2
        await client.leave()

    play(scene)


def test_an_entry_is_not_held_back_when_the_log_is_quiet(runs: Runs) -> None:
    async def scene() -> None:
        client = Client(runs, log_entries)
        runs.write(LINE + "  more\n")
        await client.until(lambda: client.reader.of("log"))
        assert client.reader.of("log")[0].value["message"] == "line\n  more"
        await client.leave()

    play(scene)


def test_a_body_that_was_never_read_leaves_nothing(runs: Runs) -> None:
    async def scene() -> None:
        body = follow(runs.hub, runs.run(), output, Cursor())
        del body
        gc.collect()

    play(scene)


def test_a_response_ends_without_done_at_its_limit_and_the_next_goes_on(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[1] = COMPLETED
        text = "".join(f"{number:09d}\n" for number in range(60_000))
        runs.write(text)
        received, cursor, responses = "", Cursor(), 0
        while responses < 20:
            limits = Limits(burst_bytes=10**9, total_bytes=150_000)
            reader = Reader()
            async for data in follow(runs.hub, runs.run(), output, cursor, limits):
                reader.feed(data)
            responses += 1
            received += reader.text()
            if "done" in [event.kind for event in reader.events]:
                break
            assert 150_000 <= reader.size < 150_000 + 100_000
            cursor = Cursor.parse(reader.last_id())
        assert received == text
        assert responses > 3

    play(scene)


def test_a_stream_is_slowed_to_its_rate(runs: Runs) -> None:
    async def scene() -> None:
        runs.write("x" * 500_000)
        client = Client(runs, burst_bytes=100_000, bytes_per_s=200_000)
        begin = time.monotonic()
        await client.until(lambda: client.reader.size > 400_000)
        assert time.monotonic() - begin > 1.0
        await client.leave()

    play(scene)


def test_a_client_that_leaves_takes_nothing_from_the_others(runs: Runs) -> None:
    async def scene() -> None:
        runs.write(LINE * 20_000)
        clients = [Client(runs) for _ in range(10)]
        await asyncio.sleep(0.005)
        for client in clients[1:]:
            await client.leave()
        runs.rows[1] = COMPLETED
        await clients[0].until_closed()
        assert clients[0].reader.text() == LINE * 20_000

    play(scene)
