"""The server's entry: HTTP, with bodies of bounded size, by Django; WebSockets by Channels."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intellifl.settings")
django_application = get_asgi_application()

from intellifl.problems import problem  # noqa: E402 -- needs the settings
from terminal.routing import websockets  # noqa: E402 -- needs the applications

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


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


application: App = ProtocolTypeRouter(
    {"http": BodyLimit(django_application), "websocket": websockets}
)
