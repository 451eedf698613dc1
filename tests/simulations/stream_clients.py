"""Clients of a stream that a test drives, and what they follow, without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulations.streams.cursor import Cursor
from simulations.streams.follow import follow
from simulations.streams.hub import Hub
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look, Run, Status
from simulations.streams.pace import Limits
from simulations.streams.sources import output
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
