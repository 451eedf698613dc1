"""The server's entry: HTTP, with bodies of bounded size, by Django; WebSockets by Channels."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import SyncToAsync, sync_to_async
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intellifl.settings")
get_asgi_application()

from intellifl.problems import problem  # noqa: E402 -- needs the settings
from terminal.routing import websockets  # noqa: E402 -- needs the applications

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Handler(ASGIHandler):
    """Django's handler, without its thread for each request that only streams events.

    Synchronous middleware runs in a thread that the request keeps until it ends, and an event
    stream lasts for hours. Where the thread is needed again, at the end, asgiref makes another.
    """

    async def send_response(self, response: Any, send: Any) -> None:
        if response.get("Content-Type") == "text/event-stream":
            await _end_thread()
        await super().send_response(response, send)


async def _end_thread() -> None:
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get()
    executor = SyncToAsync.context_to_thread_executor.pop(context, None)
    if executor is not None:
        executor.shutdown(wait=False)


class _TooLarge(Exception):
    """More of the body came than is allowed."""


class BodyLimit:
    """Answer 413 to a body that is too large, whether or not its length is declared.

    Django would first write all of it to a file, and does not limit a body without a length.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > settings.MAX_BODY_BYTES:
                raise _TooLarge
            return message

        try:
            await self.app(scope, counted, send)
        except _TooLarge:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    response = problem(413, f"The body has more than {settings.MAX_BODY_BYTES} bytes.")
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


application: App = ProtocolTypeRouter({"http": BodyLimit(Handler()), "websocket": websockets})
