"""The browser's side of a terminal: sends output no faster than it is taken."""

from __future__ import annotations

import asyncio
import codecs
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from terminal import messages

HIGH_BYTES = 512 << 10
LOW_BYTES = 128 << 10
# Servers may send no others than 1000 and those from 3000; panel.js has their sentences.
NORMAL, REPLACED, IDLE, TOO_MANY_PROCESSES = 1000, 4001, 4002, 4003
NOT_ALLOWED, TOO_LARGE, TOO_MANY_ERRORS, TRY_LATER = 4008, 4009, 4010, 4013
SendText = Callable[[str], Awaitable[None]]
SendBytes = Callable[[bytes], Awaitable[None]]
CloseConnection = Callable[[int], Awaitable[None]]


class Window:
    """How much output is on its way; the rest waits, from HIGH_BYTES until LOW_BYTES are left."""

    def __init__(self) -> None:
        self._under_way = 0
        self._is_released = False
        self._open = asyncio.Event()
        self._open.set()

    async def send(self, size: int) -> bool:
        """Wait until more may be sent, and count it; tell whether it is to be sent at all."""
        await self._open.wait()
        if self._is_released:
            return False
        self._under_way += size
        if self._under_way >= HIGH_BYTES:
            self._open.clear()
        return True

    def acknowledge(self, size: int) -> None:
        """Count what was shown; raises MessageError for more than was sent."""
        if size > self._under_way:
            raise messages.MessageError(f"bytes must be at most {self._under_way}, not {size}")
        self._under_way -= size
        if self._under_way <= LOW_BYTES:
            self._open.set()

    def release(self) -> None:
        """Let go who waits; nothing is to be sent any more."""
        self._is_released = True
        self._open.set()


class Client(ABC):
    """A connection to a browser or program."""

    def __init__(self, close: CloseConnection) -> None:
        self.close_connection = close
        self.is_gone = False

    def leave(self) -> None:
        """Note that nothing can be sent any more, and let go who waits for it."""
        self.is_gone = True

    async def close(self, code: int) -> None:
        if not self.is_gone:
            self.leave()
            await self.close_connection(code)

    @abstractmethod
    async def begin(self, terminal_id: str, replay: bytes, is_resumed: bool) -> None:
        """Tell which terminal it is, and what was on its screen."""

    @abstractmethod
    async def output(self, data: bytes) -> None:
        """Send output, once the client can take it."""

    @abstractmethod
    async def error(self, detail: str) -> None: ...

    async def ended(self, reason: str, code: int) -> None:
        await self.close(code)


class PanelClient(Client):
    """Speaks our dialect: bytes, acknowledged."""

    def __init__(self, text: SendText, binary: SendBytes, close: CloseConnection) -> None:
        super().__init__(close)
        self._text = text
        self._binary = binary
        self._window = Window()
        # Output waits for the replay, which comes first.
        self._order = asyncio.Lock()

    async def begin(self, terminal_id: str, replay: bytes, is_resumed: bool) -> None:
        async with self._order:
            await self._text(messages.attached(terminal_id, is_resumed, len(replay)))
            if replay and await self._window.send(len(replay)):
                await self._binary(replay)

    async def output(self, data: bytes) -> None:
        async with self._order:
            if await self._window.send(len(data)):
                await self._binary(data)

    async def error(self, detail: str) -> None:
        if not self.is_gone:
            await self._text(messages.error(detail))

    async def ended(self, reason: str, code: int) -> None:
        if not self.is_gone:
            await self._text(messages.ended(reason))
        await self.close(code)

    def acknowledge(self, size: int) -> None:
        self._window.acknowledge(size)

    def leave(self) -> None:
        super().leave()
        self._window.release()


class PlainClient(Client):
    """Takes and gets text; only the server's own waiting for the network holds output back."""

    def __init__(self, text: SendText, close: CloseConnection) -> None:
        super().__init__(close)
        self._text = text
        # A character may come in two reads.
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode

    async def begin(self, terminal_id: str, replay: bytes, is_resumed: bool) -> None:
        await self.output(replay)

    async def output(self, data: bytes) -> None:
        text = self._decode(data)
        if text and not self.is_gone:
            await self._text(text)

    async def error(self, detail: str) -> None:
        if not self.is_gone:
            await self._text(messages.error(detail))
