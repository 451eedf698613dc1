"""A WebSocket's side of a terminal; `terminal.messages` has what is said."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest

from terminal import clients, messages, permissions
from terminal.clients import Client, PanelClient, PlainClient
from terminal.messages import Ack, Close, MessageError
from terminal.pty import MAX_PENDING_BYTES, Size
from terminal.terminals import MAX_TERMINALS, TERMINALS, Owner, Terminal, TooMany

MAX_ERRORS = 20
GONE = (OSError, RuntimeError)
"""What servers raise for a connection that has ended; `disconnect` is called as well."""
HANDLERS = {
    "websocket.connect": "websocket_connect",
    "websocket.receive": "websocket_receive",
    "websocket.disconnect": "websocket_disconnect",
}
logger = logging.getLogger("terminal.audit")


class TerminalConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One connection. What it receives it takes at once; output has a task of its own."""

    terminal: Terminal | None = None
    client: Client
    errors = 0

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        # Channels would, for each key, first close old database connections in a thread.
        await getattr(self, HANDLERS[message["type"]])(message)

    async def connect(self) -> None:
        request = permissions.request_of(self.scope)
        try:
            owner = await database_sync_to_async(permissions.admit)(request)
        except permissions.Refused as refusal:
            origin = request.headers.get("Origin", "")[:200]
            where = permissions.address(request)
            logger.warning("terminal refused to %s, origin %r: %s", where, origin, refusal)
            await self.close()
            return
        is_panel = messages.SUBPROTOCOL in self.scope["subprotocols"]
        await self.accept(messages.SUBPROTOCOL if is_panel else None)
        self.client = self._client(is_panel)
        try:
            found = self._former(owner, request)
            self.terminal = found or await TERMINALS.open(owner)
        except TooMany:
            await self.client.error(f"{MAX_TERMINALS} terminals are open, as many as may be.")
            await self.client.close(clients.TRY_LATER)
        except OSError as error:
            logger.error("a terminal cannot be started: %s", error)
            await self.client.error(f"No shell could be started: {error.strerror or error}.")
            await self.client.close(clients.TRY_LATER)
        else:
            await self.terminal.attach(self.client, is_resumed=found is not None)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.terminal is None or self.client.is_gone:
            return
        data = bytes_data if bytes_data is not None else (text_data or "")
        if len(data) > MAX_PENDING_BYTES:
            await self.client.close(clients.TOO_LARGE)
            return
        try:
            complaint = self._follow(self.terminal, self.client, data)
        except MessageError as error:
            complaint = f"The message is wrong: {error}."
        if complaint:
            await self._complain(complaint)

    async def disconnect(self, code: int) -> None:
        if self.terminal is None:
            return
        self.terminal.detach(self.client)
        if isinstance(self.client, PlainClient):
            self.terminal.ask_to_end("its connection ended")

    def _client(self, is_panel: bool) -> Client:
        if is_panel:
            return PanelClient(self._send_text, self._send_bytes, self._close)
        return PlainClient(self._send_text, self._close)

    def _former(self, owner: Owner, request: HttpRequest) -> Terminal | None:
        """Return the owner's terminal that the client comes back to, if it still is there."""
        wanted = request.GET.get("terminal", "")
        if not isinstance(self.client, PanelClient):
            return None
        found = TERMINALS.find(wanted, owner.user_id)
        if found is not None:
            logger.info(
                "terminal %s resumed by %r from %s", found.id[:6], owner.name, owner.address
            )
        return found

    def _follow(self, terminal: Terminal, client: Client, data: str | bytes) -> str | None:
        """Do what a frame asks for; return why not; raises MessageError."""
        request: str | bytes | Size | Ack | Close = data
        if isinstance(data, str):
            is_panel = isinstance(client, PanelClient)
            request = messages.control(data) if is_panel else messages.keys_or_size(data)
        match request:
            case Size():
                terminal.resize(request)
            case Ack() if isinstance(client, PanelClient):
                client.acknowledge(request.size)
            case Close():
                terminal.ask_to_end("closed by its user")
            case str() | bytes():
                keys = request.encode() if isinstance(request, str) else request
                if not terminal.type(keys):
                    return "The shell does not read what is typed; this was dropped."
        return None

    async def _complain(self, detail: str) -> None:
        self.errors += 1
        await self.client.error(detail)
        if self.errors >= MAX_ERRORS:
            await self.client.close(clients.TOO_MANY_ERRORS)

    async def _send_text(self, text: str) -> None:
        with suppress(*GONE):
            await self.send(text_data=text)

    async def _send_bytes(self, data: bytes) -> None:
        with suppress(*GONE):
            await self.send(bytes_data=data)

    async def _close(self, code: int) -> None:
        with suppress(*GONE):
            await self.close(code)


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Refuses WebSockets at any other address."""

    async def connect(self) -> None:
        await self.close()
