"""The WebSockets there are."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import re_path

from terminal.consumers import NoSuchSocket, TerminalConsumer

websockets = URLRouter(
    [
        re_path(r"^api/terminal/?$", TerminalConsumer.as_asgi()),
        re_path(r"", NoSuchSocket.as_asgi()),
    ]
)
