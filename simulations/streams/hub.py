"""One poller per process, which looks at all watched runs and wakes the clients of those changed.

It runs while there are clients. Polling a row and a file needs no broker and works on every file
system, and a client's stream then holds neither a database connection nor an open file.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from itertools import count
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError

from simulations.streams.cursor import Cursor
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look, Run, Status
from simulations.streams.sources import Source

logger = logging.getLogger(__name__)
Statuses = Callable[[Collection[int]], Mapping[int, Status]]
"""Returns the status of each run that still exists, by primary key, in one query."""
POLL_S = 0.05
POLLS_PER_WAKE = 20
"""So often clients are woken though nothing has changed, because heartbeats may be due."""
THREADS = 4
SHARED_FRAMES = 8
Place = tuple[Source, Cursor]


class Frame(NamedTuple):
    """What a source gives at a place: bytes, the place after them, and whether more follows."""

    data: bytes
    cursor: Cursor
    has_more: bool


def ask(source: Source, log: LogFile, cursor: Cursor, look: Look) -> Frame:
    data, after = source(log, cursor, look)
    return Frame(data, after, bool(data) and bool(source(log, after, look)[0]))


class Watch:
    """A watched run: the newest look at it, and an event that is set when there is a newer one."""

    def __init__(self, run: Run, threads: ThreadPoolExecutor) -> None:
        self.log = run.log
        self.look = run.first
        self.changed = asyncio.Event()
        self.is_lost = False
        self.clients = 0
        self._threads = threads
        self._waiting: dict[Place, None] = {}
        self._ready: dict[Place, Frame] = {}
        self._asked: dict[Any, asyncio.Future[Frame]] = {}

    def foresee(self, look: Look) -> dict[Place, Frame]:
        """Return what clients will ask for after a look that differs; called in a thread."""
        if not self._differs(look):
            return {}
        return {(s, c): ask(s, self.log, c, look) for s, c in list(self._waiting)}

    def show(self, look: Look, ready: dict[Place, Frame]) -> None:
        """Take a look that is newer and differs, and wake the clients."""
        if self._differs(look):
            self.look, self._ready = look, ready
            self._asked.clear()
            self._waiting.clear()
            self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def frame(self, source: Source, cursor: Cursor, look: Look) -> Frame:
        """Ask the source, away from the event loop, and once for all clients at the same place."""
        ready = self._ready.get((source, cursor)) if look is self.look else None
        if ready is not None:
            return ready
        key = (source, cursor, look.at)
        if key not in self._asked:
            _make_room(self._asked)
            loop = asyncio.get_running_loop()
            self._asked[key] = loop.run_in_executor(
                self._threads, ask, source, self.log, cursor, look
            )
        found = self._asked[key]
        # One client that leaves must not take the frame from the others.
        return found.result() if found.done() else await asyncio.shield(found)

    async def next_change(self, changed: asyncio.Event, source: Source, cursor: Cursor) -> None:
        """Wait for `changed`; what the source gives here then is asked for in advance."""
        if (source, cursor) not in self._waiting:
            _make_room(self._waiting)
            self._waiting[source, cursor] = None
        await changed.wait()

    def _differs(self, look: Look) -> bool:
        return look.at > self.look.at and look != self.look


def _make_room(shared: dict[Any, Any]) -> None:
    if len(shared) >= SHARED_FRAMES:
        del shared[next(iter(shared))]


class Hub:
    """The poller of one event loop and its threads."""

    def __init__(self, statuses: Statuses, poll_s: float = POLL_S) -> None:
        self._statuses = statuses
        self._poll_s = poll_s
        self._watches: dict[int, Watch] = {}
        self._task: asyncio.Task[None] | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._is_blind = False

    @contextmanager
    def watch(self, run: Run) -> Iterator[Watch]:
        """Have the run polled while the context lasts."""
        threads = self._start()
        watch = self._watches.setdefault(run.pk, Watch(run, threads))
        if run.first.status != watch.look.status:
            watch.show(run.first, {})
        watch.clients += 1
        try:
            yield watch
        finally:
            watch.clients -= 1
            if watch.clients == 0:
                del self._watches[run.pk]
            if not self._watches:
                self._stop()

    def _start(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, "streams")
        if self._task is None or self._task.done():
            # In an empty context, or it would keep the first client's request alive.
            poll = self._poll(self._threads)
            self._task = asyncio.get_running_loop().create_task(poll, context=Context())
        return self._threads

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._task = self._threads = None

    async def _poll(self, threads: ThreadPoolExecutor) -> None:
        look = database_sync_to_async(self._look_at, thread_sensitive=False, executor=threads)
        try:
            for number in count(1):
                await asyncio.sleep(self._poll_s)
                watches = dict(self._watches)
                for pk, seen in (await look(watches)).items():
                    watches[pk].show(*seen)
                if number % POLLS_PER_WAKE == 0:
                    self._wake_all()
        except Exception:
            logger.exception("The streams' poller failed; their clients will connect again.")
            self._lose_all()

    def _lose_all(self) -> None:
        for watch in self._watches.values():
            watch.is_lost = True
        self._wake_all()

    def _wake_all(self) -> None:
        for watch in self._watches.values():
            watch.wake()

    def _look_at(self, watches: Mapping[int, Watch]) -> dict[int, tuple[Look, dict[Place, Frame]]]:
        """Look at every run: first the statuses, so that a final one is older than its log."""
        at = time.monotonic()
        try:
            statuses = self._statuses(watches.keys())
        except (OperationalError, InterfaceError) as error:
            if not self._is_blind:
                logger.warning("The streams cannot read the database, trying again: %s", error)
            self._is_blind = True
            return {}
        self._is_blind = False
        looks = {
            pk: Look.after(watch.look, statuses.get(pk), watch.log.size(), at)
            for pk, watch in watches.items()
        }
        return {pk: (look, watches[pk].foresee(look)) for pk, look in looks.items()}


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def running_hub(statuses: Statuses) -> Hub:
    """Return the hub of the running event loop, of which a server's process has one."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub(statuses))
