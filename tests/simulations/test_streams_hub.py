"""The poller behind all streams of a process."""

from __future__ import annotations

import asyncio
import logging

import pytest
from django.db import OperationalError

from simulations.streams.hub import Hub, running_hub
from tests.simulations.stream_clients import (
    COMPLETED,
    LINE,
    POLL_S,
    RUNNING,
    Client,
    Runs,
    kinds,
    play,
)


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
