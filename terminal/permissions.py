"""Who may open a terminal: decided before anything is started."""

from __future__ import annotations

import io
import ipaddress
import logging
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.request import split_domain_port

from terminal import tokens
from terminal.terminals import Owner

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
SCHEMES = {"ws": "http", "wss": "https"}
logger = logging.getLogger(__name__)


class Refused(Exception):
    """No terminal for this request; the text, for the log, says why."""


def request_of(scope: dict[str, Any]) -> HttpRequest:
    """Return the handshake as the request that it is, for Django's own checks."""
    scheme = SCHEMES.get(scope.get("scheme", "ws"), "http")
    http = {**scope, "type": "http", "method": "GET", "scheme": scheme}
    return ASGIRequest(http, io.BytesIO())


def is_on(request: HttpRequest) -> bool:
    """Tell whether there are terminals for this request at all.

    Unless switched on or off: only where nobody but this machine's own users gets at the server.
    """
    if settings.TERMINAL != "auto":
        return bool(settings.TERMINAL == "on")
    is_forwarded = any(name in request.headers for name in FORWARDED)
    own = _is_loopback(request.META.get("REMOTE_ADDR", "")) and _is_loopback(_host_name(request))
    return own and not is_forwarded and not settings.REQUIRE_AUTH


def may_open(request: HttpRequest) -> bool:
    """Tell whether the page of this request should offer a terminal."""
    return is_on(request) and is_staff(request.user)


def is_staff(user: Any) -> bool:
    return bool(user.is_active and user.is_staff)


def admit(request: HttpRequest) -> Owner:
    """Return who opens a terminal; raises Refused. Reads the database."""
    if not is_on(request):
        raise Refused("the terminal is off")
    try:
        own_origin = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        raise Refused("the host is not allowed") from None
    if request.headers.get("Origin", "").lower() != own_origin.lower():
        raise Refused("the origin is another one")
    token = request.GET.get("token")
    user = _user_of_session(request) if token is None else _user_of_token(token)
    if user is None:
        raise Refused("nobody is signed in" if token is None else "the token is not good")
    if not is_staff(user):
        raise Refused(f"{user.get_username()!r} is not staff")

    def is_still_staff() -> bool:
        found = _user_of_session(request) if token is None else _user(user.pk)
        return found is not None and found.pk == user.pk and is_staff(found)

    async def is_still_allowed() -> bool:
        try:
            return bool(await database_sync_to_async(is_still_staff)())
        except DatabaseError as error:
            logger.warning("cannot look whether a terminal is still allowed: %s", error)
            return True

    return Owner(user.pk, user.get_username(), address(request), is_still_allowed)


def address(request: HttpRequest) -> str:
    return f"{request.META.get('REMOTE_ADDR', '?')}:{request.META.get('REMOTE_PORT', '?')}"


def _user_of_session(request: HttpRequest) -> User | None:
    sessions = import_module(settings.SESSION_ENGINE)
    # Read anew each time: a session that has ended meanwhile must not count.
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    return user if isinstance(user, get_user_model()) else None


def _user_of_token(token: str) -> User | None:
    user_id = tokens.redeem(token)
    return None if user_id is None else _user(user_id)


def _user(user_id: int) -> User | None:
    return get_user_model().objects.filter(pk=user_id).first()


def _host_name(request: HttpRequest) -> str:
    return split_domain_port(request.headers.get("Host", ""))[0]


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"
