"""Who is let in, decided on the handshake alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from terminal import tokens
from terminal.models import OneTimeToken
from terminal.permissions import Refused, admit, is_on, request_of
from tests.terminal.live import Sender, cookie_of

HOST = "127.0.0.1:8000"


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


def handshake(
    cookie: str = "",
    query: str = "",
    host: str = HOST,
    origin: str | None = f"http://{HOST}",
    client: str = "127.0.0.1",
    scheme: str = "ws",
    **others: str,
) -> HttpRequest:
    headers = {"host": host, "cookie": cookie, **others}
    if origin is not None:
        headers["origin"] = origin
    return request_of(
        {
            "type": "websocket",
            "path": "/api/terminal",
            "query_string": query.encode(),
            "scheme": scheme,
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in headers.items()
                if value
            ],
            "client": (client, 50000),
            "server": ("127.0.0.1", 8000),
        }
    )


def refusal(request: HttpRequest) -> str:
    with pytest.raises(Refused) as caught:
        admit(request)
    return str(caught.value)


def test_signed_in_staff_is_let_in(staff: User) -> None:
    owner = admit(handshake(cookie_of(staff)))
    assert (owner.user_id, owner.name, owner.address) == (staff.pk, "ada", "127.0.0.1:50000")


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:8001",
        "http://127.0.0.1",
        "https://127.0.0.1:8000",
        "http://localhost:8000",
        "http://127.0.0.1:8000.evil.example",
        "http://127.0.0.1:8000/",
        "http://ada@127.0.0.1:8000",
        "ws://127.0.0.1:8000",
        "file://",
    ],
)
def test_another_origin_is_refused(staff: User, origin: str | None) -> None:
    request = handshake(cookie_of(staff), origin=origin)
    assert refusal(request) == "the origin is another one"


def test_two_origins_are_refused(staff: User) -> None:
    request = handshake(cookie_of(staff), origin=f"http://{HOST},http://evil.example")
    assert refusal(request) == "the origin is another one"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.nip.io:8000", ""])
def test_a_forged_host_is_refused(staff: User, settings: Any, host: str) -> None:
    settings.TERMINAL = "on"
    request = handshake(cookie_of(staff), host=host, origin=f"http://{host}")
    assert refusal(request) in ("the host is not allowed", "the origin is another one")


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=unknown", "sessionid=a;b=c"])
def test_without_a_session_nobody_is_let_in(db: None, cookie: str) -> None:
    assert refusal(handshake(cookie)) == "nobody is signed in"


def test_an_expired_session_is_none(staff: User) -> None:
    cookie = cookie_of(staff)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert refusal(handshake(cookie)) == "nobody is signed in"


def test_a_changed_password_ends_the_sessions(staff: User) -> None:
    cookie = cookie_of(staff)
    staff.set_password("another")
    staff.save()
    assert refusal(handshake(cookie)) == "nobody is signed in"


def test_others_than_active_staff_are_refused(staff: User) -> None:
    cookie = cookie_of(staff)
    User.objects.update(is_staff=False, is_superuser=True)
    assert refusal(handshake(cookie)) == "'ada' is not staff"
    User.objects.update(is_staff=True, is_active=False)
    assert refusal(handshake(cookie)) == "nobody is signed in"


LOCAL: list[dict[str, str]] = [
    {},
    {"host": "localhost:8000"},
    {"host": "[::1]:8000", "client": "::1"},
    {"client": "127.0.0.9"},
]
BEYOND: list[dict[str, str]] = [
    {"host": "fl.example.org"},
    {"host": "10.0.0.5:8000"},
    {"client": "10.0.0.7"},
    {"client": "::ffff:10.0.0.7"},
    {"x_forwarded_for": "10.0.0.7"},
    {"x_forwarded_host": "fl.example.org"},
    {"x_real_ip": "127.0.0.1"},
    {"forwarded": "for=10.0.0.7"},
]


@pytest.mark.parametrize("circumstances", LOCAL)
def test_on_loopback_there_are_terminals(settings: Any, circumstances: dict[str, str]) -> None:
    assert is_on(handshake(**circumstances))
    settings.TERMINAL = "off"
    assert not is_on(handshake(**circumstances))


@pytest.mark.parametrize("circumstances", BEYOND)
def test_beyond_loopback_only_if_switched_on(settings: Any, circumstances: dict[str, str]) -> None:
    assert not is_on(handshake(**circumstances))
    settings.TERMINAL = "on"
    assert is_on(handshake(**circumstances))


def test_a_demanded_login_means_beyond_loopback(settings: Any) -> None:
    settings.REQUIRE_AUTH = True
    assert not is_on(handshake())
    settings.TERMINAL = "on"
    assert is_on(handshake())


def test_a_socket_without_addresses_is_not_loopback() -> None:
    request = handshake()
    del request.META["REMOTE_ADDR"]
    assert not is_on(request)


def test_behind_tls_the_origin_is_https(staff: User, settings: Any) -> None:
    settings.TERMINAL = "on"
    settings.ALLOWED_HOSTS = ["fl.example.org"]
    beyond = {"host": "fl.example.org", "client": "10.0.0.7", "cookie": cookie_of(staff)}
    assert admit(handshake(**beyond, scheme="wss", origin="https://fl.example.org"))
    assert refusal(handshake(**beyond, scheme="wss", origin="http://fl.example.org"))
    assert refusal(handshake(**beyond, scheme="ws", origin="https://fl.example.org"))


def test_switched_off_nobody_is_let_in(staff: User, settings: Any) -> None:
    settings.TERMINAL = "off"
    assert refusal(handshake(cookie_of(staff))) == "the terminal is off"


def test_a_token_lets_in_once(staff: User) -> None:
    token = tokens.issue(staff)
    owner = admit(handshake(query=f"token={token}"))
    assert owner.user_id == staff.pk
    assert refusal(handshake(query=f"token={token}")) == "the token is not good"
    assert not OneTimeToken.objects.exists()


def test_a_token_needs_the_origin_too_and_is_not_used_up_by_others(staff: User) -> None:
    token = tokens.issue(staff)
    request = handshake(query=f"token={token}", origin="http://evil.example")
    assert refusal(request) == "the origin is another one"
    assert admit(handshake(query=f"token={token}"))


@pytest.mark.parametrize("token", ["", "x", "größe", "%00", "%ff"])
def test_a_wrong_token_is_refused_even_with_a_session(staff: User, token: str) -> None:
    query = f"token={token if token.startswith('%') else quote(token)}"
    assert refusal(handshake(cookie_of(staff), query=query)) == "the token is not good"


def test_a_token_lasts_a_minute(staff: User) -> None:
    token = tokens.issue(staff)
    left = OneTimeToken.objects.get().expires_at - timezone.now()
    assert 50 < left.total_seconds() <= 60
    OneTimeToken.objects.update(expires_at=timezone.now())
    assert refusal(handshake(query=f"token={token}")) == "the token is not good"
    tokens.issue(staff)
    assert OneTimeToken.objects.count() == 1, "what has expired is removed"


def test_a_token_is_not_kept_itself(staff: User) -> None:
    token = tokens.issue(staff)
    assert token not in OneTimeToken.objects.get().digest
    assert len(token) > 40


def test_a_token_of_a_user_who_is_no_longer_staff_is_refused(staff: User) -> None:
    token = tokens.issue(staff)
    User.objects.update(is_staff=False)
    assert refusal(handshake(query=f"token={token}")) == "'ada' is not staff"


ROUTE = "/api/terminal/token"
LOOPBACK: Sender = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": HOST}


def test_staff_gets_a_token_over_http(staff: User, client: Client) -> None:
    client.force_login(staff)
    answer = client.post(ROUTE, **LOOPBACK)
    assert answer.status_code == 201 and answer.json()["expires_in"] == 60
    assert admit(handshake(query=f"token={answer.json()['token']}"))


def test_others_get_none(db: None, client: Client, staff: User, settings: Any) -> None:
    assert client.post(ROUTE, **LOOPBACK).status_code == 401
    client.force_login(User.objects.create_user("bob"))
    assert client.post(ROUTE, **LOOPBACK).status_code == 403
    client.force_login(staff)
    settings.TERMINAL = "off"
    answer = client.post(ROUTE, **LOOPBACK)
    assert answer.status_code == 403 and "INTELLIFL_TERMINAL" in answer.json()["detail"]
    settings.TERMINAL = "auto"
    answer = client.post(ROUTE, **LOOPBACK, HTTP_ORIGIN="http://evil.example")
    assert answer.status_code == 403
    assert not OneTimeToken.objects.exists()
    assert client.get(ROUTE, **LOOPBACK).status_code == 405


def test_permission_is_looked_at_again(transactional_db: None) -> None:
    staff = User.objects.create_user("ada", is_staff=True)
    token = tokens.issue(staff)
    by_session = admit(handshake(cookie_of(staff)))
    by_token = admit(handshake(query=f"token={token}"))
    for owner in (by_session, by_token):
        assert async_to_sync(owner.is_still_allowed)()
    Session.objects.all().delete()
    assert not async_to_sync(by_session.is_still_allowed)()
    assert async_to_sync(by_token.is_still_allowed)()
    User.objects.update(is_active=False)
    assert not async_to_sync(by_token.is_still_allowed)()
