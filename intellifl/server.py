"""daphne with bounds on what it keeps in memory: bodies of requests, and what clients do not take.

Use it as daphne: `python -m intellifl.server -b HOST -p PORT intellifl.asgi:application`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from intellifl.imports import without
from intellifl.memory import use_one_arena

# TLS ends at the proxy; Twisted would load a library for it.
with without("OpenSSL"):
    import daphne.server
    from autobahn.exception import Disconnected
    from daphne.cli import CommandLineInterface
    from daphne.http_protocol import HTTPFactory, WebRequest
    from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

MAX_BODY_BYTES = 4 << 20
"""More than the application accepts, so that it can explain what is only somewhat too large."""
AWAITED = frozenset({"websocket.send", "http.response.body"})
REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 23\r\nConnection: close\r\n\r\n"
    b"The body is too large.\n"
)


class Room:
    """Whether the connection takes more, as Twisted tells a producer."""

    def __init__(self) -> None:
        self._is_there = asyncio.Event()
        self._is_there.set()
        self.wait = self._is_there.wait

    def pauseProducing(self) -> None:
        self._is_there.clear()

    def resumeProducing(self) -> None:
        self._is_there.set()

    def stopProducing(self) -> None:
        self._is_there.set()


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request whose connection ends once its body is declared, or turns out, too large.

    It knows whether what was sent of its answer is on its way.
    """

    room: Room | None = None
    _received = 0

    def handle_reply(self, message: Mapping[str, Any]) -> None:
        if self.room is None and message.get("more_body") and self.channel is not None:
            self.room = Room()
            self.registerProducer(self.room, True)
        super().handle_reply(message)

    def finish(self) -> None:
        if self.room is not None:
            self.room = None
            self.unregisterProducer()
        super().finish()

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self._received > MAX_BODY_BYTES:
            return
        self._received += len(data)
        if self._received > MAX_BODY_BYTES:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self._received = MAX_BODY_BYTES + 1
        self.channel.transport.write(REFUSAL)
        self.channel.loseConnection()


class BoundedFactory(HTTPFactory):  # type: ignore[misc]
    """Makes such requests."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


class SocketRoom(Room):
    """The same of a WebSocket, which has the connection for itself."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self._transport = transport

    def resumeProducing(self) -> None:
        super().resumeProducing()
        # Twisted closes only once no producer is left to wait for.
        if self._transport.disconnecting:
            self._transport.unregisterProducer()


class PatientSocket(WebSocketProtocol):  # type: ignore[misc]
    """A WebSocket that knows whether what was sent is on its way."""

    def onOpen(self) -> None:
        self.room = SocketRoom(self.transport)
        # Until the upgrade the connection was that of HTTP requests.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.room, True)
        super().onOpen()


class PatientFactory(WebSocketFactory):  # type: ignore[misc]
    """Makes such WebSockets."""

    protocol = PatientSocket


class PatientServer(daphne.server.Server):  # type: ignore[misc]
    """Lets an application wait until the connection has taken what it sends in pieces."""

    async def handle_reply(self, protocol: Any, message: Mapping[str, Any]) -> None:
        # Between the end of a connection and the word of it, as if it were known already.
        with suppress(Disconnected):
            await super().handle_reply(protocol, message)
        room = getattr(protocol, "room", None)
        if message["type"] in AWAITED and room is not None:
            await room.wait()


class Interface(CommandLineInterface):  # type: ignore[misc]
    """daphne's command line for this server."""

    server_class = PatientServer


def main() -> None:
    use_one_arena()
    # daphne has no other way to choose its factories.
    daphne.server.HTTPFactory = BoundedFactory
    daphne.server.WebSocketFactory = PatientFactory
    Interface.entrypoint()


if __name__ == "__main__":
    main()
