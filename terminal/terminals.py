"""The terminals of this server: at most MAX_TERMINALS, each with a shell and perhaps a browser.

A terminal outlives its connection for DETACHED_S, so that a page can be reloaded or left; it ends
with its shell, when nothing happens for IDLE_S, or when its user may not have it any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from terminal import clients, keeper, shell
from terminal.clients import Client
from terminal.pty import Ending, Pty, Size
from terminal.replay import Replay

MAX_TERMINALS = 4
MAX_PROCESSES = 512
IDLE_S = 30 * 60.0
DETACHED_S = 10 * 60.0
CHECK_S = 30.0
DRAIN_S = 2.0
DETACHED_PAUSE_S = 0.05
"""Between reads for nobody, so that a shell that prints for ever costs little."""
CODES = {
    "idle": clients.IDLE,
    "too many processes": clients.TOO_MANY_PROCESSES,
    "signed out": clients.NOT_ALLOWED,
}
logger = logging.getLogger("terminal.audit")


class TooMany(Exception):
    """As many terminals as allowed are open."""


@dataclass(frozen=True)
class Owner:
    """Whose terminal it is, and a way to ask whether they may still have it."""

    user_id: int
    name: str
    address: str
    is_still_allowed: Callable[[], Awaitable[bool]]


@dataclass(eq=False)
class Terminal:
    """A shell, what it printed last, and who looks at it."""

    owner: Owner
    pty: Pty
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    client: Client | None = None
    _replay: Replay = field(default_factory=Replay)
    _reason: str = ""
    _opened_at: float = field(default_factory=time.monotonic)
    _active_at: float = field(default_factory=time.monotonic)
    _left_at: float = field(default_factory=time.monotonic)

    def type(self, data: bytes) -> bool:
        """Tell whether the keys were taken."""
        self._active_at = time.monotonic()
        return self.pty.write(data)

    def resize(self, size: Size) -> None:
        self.pty.resize(size)

    async def attach(self, client: Client, is_resumed: bool = False) -> None:
        """Show the terminal to `client`, and to nobody else any more."""
        former, self.client = self.client, client
        self._active_at = time.monotonic()
        if former is not None:
            former.leave()
        # Begun without a pause, so that what is printed next comes after the replay.
        await client.begin(self.id, self._replay.content(), is_resumed)
        if former is not None:
            await former.close_connection(clients.REPLACED)
        if is_resumed:
            self.pty.redraw()

    def detach(self, client: Client) -> None:
        client.leave()
        if self.client is client:
            self.client = None
            self._left_at = time.monotonic()

    @property
    def left_at(self) -> float | None:
        """When the last browser left, on the monotonic clock; None while there is one."""
        return None if self.client else self._left_at

    def ask_to_end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.pty.ask_to_end()

    async def run(self) -> None:
        """Pass output on until the shell has ended and nothing of it is left; log both."""
        name = self.id[:6]
        who = f"{self.owner.name!r} from {self.owner.address}"
        logger.info("terminal %s opened by %s, keeper %d", name, who, self.pty.pid)
        pump = asyncio.create_task(self._pump())
        watch = asyncio.create_task(self._watch())
        reason, code = "it failed", clients.NORMAL
        try:
            ends: set[asyncio.Future[Any]] = {pump, watch, self.pty.ended}
            for done in (await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED))[0]:
                done.result()
            reason, code = self._why(await self.pty.end())
            await asyncio.wait({pump}, timeout=DRAIN_S)
        except asyncio.CancelledError:
            reason = "the server stops"
            raise
        finally:
            pump.cancel()
            watch.cancel()
            self.pty.close()
            lasted = time.monotonic() - self._opened_at
            logger.info("terminal %s of %s closed after %.1f s: %s", name, who, lasted, reason)
        if self.client is not None:
            await self.client.ended(reason, code)

    async def _pump(self) -> None:
        while data := await self.pty.read():
            self._active_at = time.monotonic()
            self._replay.append(data)
            client = self.client
            if client is None:
                await asyncio.sleep(DETACHED_PAUSE_S)
            else:
                await client.output(data)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            now = time.monotonic()
            if now - self._active_at > IDLE_S:
                self.ask_to_end("idle")
            elif self.left_at is not None and now - self.left_at > DETACHED_S:
                self.ask_to_end("left")
            elif not await self.owner.is_still_allowed():
                self.ask_to_end("signed out")

    def _why(self, ending: Ending) -> tuple[str, int]:
        if ending.reason == keeper.FULL:
            reason = "too many processes"
        elif ending.exit_code is not None and not self._reason:
            reason = f"exit {ending.exit_code}"
        else:
            reason = self._reason or ending.reason
        return reason, CODES.get(reason, clients.NORMAL)


class Terminals:
    """All terminals of this process."""

    def __init__(self) -> None:
        self._open: dict[Terminal, asyncio.Task[None]] = {}

    async def open(self, owner: Owner) -> Terminal:
        """Start a shell; in place of the owner's longest left one when there are too many.

        Raises TooMany, and OSError when no shell can be started.
        """
        while len(self._open) >= MAX_TERMINALS:
            left = self._left_of(owner.user_id)
            if not left:
                raise TooMany
            await self.end(left[0], "another was opened")
        command = shell.command()
        environment = shell.environment(os.environ, command[0])
        terminal = Terminal(owner, Pty(command, environment, settings.BASE_DIR, MAX_PROCESSES))
        self._open[terminal] = asyncio.create_task(self._run(terminal))
        return terminal

    def find(self, terminal_id: str, user_id: int) -> Terminal | None:
        for terminal in self._open:
            # Compared as bytes: an id from outside may have other characters.
            is_it = secrets.compare_digest(terminal.id.encode(), terminal_id.encode())
            if is_it and terminal.owner.user_id == user_id and not terminal.pty.ended.done():
                return terminal
        return None

    async def end(self, terminal: Terminal, reason: str) -> None:
        """End it and wait until nothing of it is left."""
        terminal.ask_to_end(reason)
        await asyncio.wait({self._open[terminal]})

    def _left_of(self, user_id: int) -> list[Terminal]:
        own = [terminal for terminal in self._open if terminal.owner.user_id == user_id]
        left = [terminal for terminal in own if terminal.left_at is not None]
        return sorted(left, key=lambda terminal: terminal.left_at or 0.0)

    async def _run(self, terminal: Terminal) -> None:
        try:
            await terminal.run()
        except Exception:
            logger.exception("terminal %s failed", terminal.id[:6])
        finally:
            del self._open[terminal]


TERMINALS = Terminals()
