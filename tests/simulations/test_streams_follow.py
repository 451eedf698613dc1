"""The body of a stream and the poller behind it, without a server."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from simulations.streams.cursor import Cursor
from simulations.streams.follow import follow
from simulations.streams.frames import OPENING
from simulations.streams.hub import Hub, running_hub
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look, Run, Status
from simulations.streams.pace import Limits
from simulations.streams.sources import log_entries, output
from tests.servers import eventually
from tests.simulations.sse import Reader

QUEUED = {"status": "queued", "progress": 0.0}
RUNNING = {"status": "running", "progress": 0.5}
COMPLETED = {"status": "completed", "progress": 1.0}
POLL_S = 0.02
LINE = "2026-11-24T06:00:00.123 INFO line\n"


class Runs:
    """Stands for the table of simulations: what the poller asks, and how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[int, Status] = {1: RUNNING}
        self.asked: list[set[int]] = []
        self.failure: Exception | None = None
        self.hub = Hub(self.statuses, POLL_S)

    def statuses(self, pks: Collection[int]) -> dict[int, Status]:
        self.asked.append(set(pks))
        if self.failure is not None:
            raise self.failure
        return {pk: row for pk, row in self.rows.items() if pk in pks}

    def log(self, pk: int = 1) -> Path:
        path = self.folder / str(pk) / "output.log"
        path.parent.mkdir(exist_ok=True)
        return path

    def write(self, text: str, pk: int = 1) -> None:
        with self.log(pk).open("a") as log:
            log.write(text)

    def run(self, pk: int = 1) -> Run:
        log = LogFile(self.log(pk).parent)
        return Run(pk, log, Look(self.rows[pk], log.size()))


class Client:
    """One client of a stream that the test drives: reads in the background until it leaves."""

    def __init__(self, runs: Runs, source: Any = output, pk: int = 1, **limits: Any) -> None:
        self.reader = Reader()
        self.is_closed = False
        self._runs = runs
        self._body: AsyncGenerator[bytes] = follow(  # type: ignore[assignment]
            runs.hub, runs.run(pk), source, Cursor(), Limits(**limits)
        )
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for data in self._body:
            self.reader.feed(data)
        self.is_closed = True

    async def until(self, condition: Callable[[], Any], within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.005)

    async def until_closed(self) -> None:
        async with asyncio.timeout(10):
            await self._task

    async def leave(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._body.aclose()


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Run the scene; afterwards no task and no thread of a stream may be left."""

    async def watched() -> None:
        before = len(asyncio.all_tasks())
        await scene()
        async with asyncio.timeout(60):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.01)

    asyncio.run(watched())
    eventually(lambda: not any(one.name.startswith("streams") for one in threading.enumerate()))


def kinds(client: Client) -> list[str]:
    return [event.kind for event in client.reader.events]


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


def test_one_question_is_asked_for_all_clients_of_all_runs(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[2] = RUNNING
        clients = [Client(runs, pk=1 + number % 2) for number in range(20)]
        await clients[-1].until(lambda: {1, 2} in runs.asked)
        await asyncio.sleep(0.3)
        assert len(runs.asked) <= 0.4 / POLL_S
        assert set(map(frozenset, runs.asked[1:])) == {frozenset({1, 2})}
        assert len(asyncio.all_tasks()) == len(clients) + 2
        for client in clients:
            await client.leave()

    play(scene)


def test_only_clients_of_the_run_that_changed_are_woken(runs: Runs) -> None:
    async def scene() -> None:
        runs.rows[2] = RUNNING
        one, two = Client(runs, pk=1), Client(runs, pk=2)
        await two.until(lambda: two.reader.events and one.reader.events)
        runs.write(LINE, pk=2)
        await two.until(lambda: two.reader.text() == LINE)
        assert kinds(one) == ["status"]
        await one.leave()
        await two.leave()

    play(scene)


def test_the_poller_rests_without_clients_and_starts_again(runs: Runs) -> None:
    async def scene() -> None:
        for _ in range(2):
            client = Client(runs)
            asked = len(runs.asked)

            def is_asked_again(before: int = asked) -> bool:
                return len(runs.asked) > before

            await client.until(is_asked_again)
            await client.leave()
        asked = len(runs.asked)
        await asyncio.sleep(5 * POLL_S)
        assert len(runs.asked) <= asked + 1

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


def test_a_database_that_is_away_for_a_while_is_waited_for(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        client = Client(runs)
        await client.until(lambda: runs.asked)
        runs.failure = OperationalError("away")
        asked = len(runs.asked)
        await client.until(lambda: len(runs.asked) > asked + 3)
        runs.failure = None
        runs.rows[1] = COMPLETED
        await client.until_closed()
        assert kinds(client) == ["status", "status", "done"]

    with caplog.at_level(logging.WARNING):
        play(scene)
    assert [record.message for record in caplog.records] == [
        "The streams cannot read the database, trying again: away"
    ]


def test_a_poller_that_fails_ends_the_streams_so_that_clients_return(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        client = Client(runs)
        await client.until(lambda: runs.asked)
        runs.failure = ValueError("a bug")
        await client.until_closed()
        assert "done" not in kinds(client)
        runs.failure, runs.rows[1] = None, COMPLETED
        again = Client(runs)
        await again.until_closed()
        assert kinds(again)[-1] == "done"

    play(scene)
    assert "The streams' poller failed" in caplog.text and "a bug" in caplog.text


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


def test_a_client_that_comes_later_sees_no_older_status_than_it_asked_for(runs: Runs) -> None:
    async def scene() -> None:
        runs.hub = Hub(runs.statuses, poll_s=600)
        first = Client(runs)
        await first.until(lambda: first.reader.events)
        runs.rows[1] = COMPLETED
        second = Client(runs)
        await second.until(lambda: second.reader.events)
        assert second.reader.events[0].value == COMPLETED
        await first.until(lambda: len(first.reader.events) == 2)
        await first.leave()
        await second.leave()

    play(scene)


def test_each_event_loop_has_one_hub(runs: Runs) -> None:
    async def hubs() -> tuple[Hub, Hub]:
        return running_hub(runs.statuses), running_hub(runs.statuses)

    one, same = asyncio.run(hubs())
    other, _ = asyncio.run(hubs())
    assert one is same and one is not other
