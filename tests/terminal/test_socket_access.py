"""Who gets a shell on a real server, and what of it is seen by others."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from websockets.exceptions import InvalidStatus

from terminal import tokens
from terminal.models import OneTimeToken
from tests.servers import LOOPBACK, eventually
from tests.terminal.live import Live, cookie_of, running

pytestmark = pytest.mark.slow


def status_of(live: Live, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        live.connect(**options)
    return int(caught.value.response.status_code)


def test_nobody_without_permission_gets_a_shell_forked(
    fresh: Live, staff: User, cookie: str
) -> None:
    other_port = fresh.origin.replace(str(fresh.port), str(fresh.port + 1))
    expired, bob = cookie_of(staff, expires_in_s=-10), User.objects.create_user("bob")
    used = tokens.issue(staff)
    assert tokens.redeem(used) == staff.pk
    attempts: list[dict[str, Any]] = [
        {"cookie": cookie, "origin": "http://evil.example"},
        {"cookie": cookie, "origin": "null"},
        {"cookie": cookie, "origin": None},
        {"cookie": cookie, "origin": other_port},
        {"cookie": cookie, "origin": fresh.origin.replace("http", "https")},
        {"cookie": cookie, "origin": f"http://localhost:{fresh.port}"},
        {"cookie": cookie, "origin": f"{fresh.origin}.evil.example"},
        {"cookie": None},
        {"cookie": "sessionid=unknown"},
        {"cookie": expired},
        {"cookie": cookie_of(bob)},
        {"cookie": cookie, "query": "?token=wrong"},
        {"query": f"?token={used}"},
        {"cookie": cookie, "headers": {"X-Forwarded-For": "10.0.0.7"}},
        {"cookie": cookie, "uri": f"ws://{LOOPBACK}:{fresh.port}/api/terminals"},
        {"cookie": cookie, "uri": f"ws://{LOOPBACK}:{fresh.port}/"},
    ]
    for attempt in attempts:
        for panel in (True, False):
            # The server itself refuses an origin that is no address.
            assert status_of(fresh, panel=panel, **attempt) in (400, 403), attempt
    assert not fresh.has_forked()
    assert fresh.said("opened by") == 0
    assert fresh.said("terminal refused") >= 2 * (len(attempts) - 3)

    fresh.connect(cookie).message("attached")
    assert fresh.has_forked()


def test_a_forged_host_is_refused_for_pages_and_sockets(fresh: Live, cookie: str) -> None:
    """DNS rebinding: the browser sends the attacker's name, and it leads to us."""
    for host in ("evil.example", f"evil.example:{fresh.port}", f"{LOOPBACK}.nip.io:{fresh.port}"):
        assert raw_handshake(fresh, host, cookie, origin=f"http://{host}") in (400, 403)
        assert raw_handshake(fresh, host, cookie, origin=fresh.origin) in (400, 403)
        connection = HTTPConnection(LOOPBACK, fresh.port, timeout=60)
        connection.request("GET", "/simulations/", headers={"Host": host, "Cookie": cookie})
        assert connection.getresponse().status == 400
        connection.close()
    assert not fresh.has_forked()
    own = f"{LOOPBACK}:{fresh.port}"
    assert raw_handshake(fresh, own, cookie, origin=fresh.origin) == 101


def raw_handshake(live: Live, host: str, cookie: str, origin: str) -> int:
    lines = [
        "GET /api/terminal HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin}",
        f"Cookie: {cookie}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection((LOOPBACK, live.port), 10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(4096).split()[1])


def test_a_token_opens_one_terminal(live: Live, staff: User, cookie: str) -> None:
    connection = HTTPConnection(LOOPBACK, live.port, timeout=60)
    connection.request("POST", "/api/terminal/token/", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 201
    token = json.loads(answer.read())["token"]
    connection.close()
    assert live.connect(query=f"?token={token}", panel=False).run("echo $((6*7))") == "42\r\n"
    assert status_of(live, query=f"?token={token}") == 403
    assert not OneTimeToken.objects.exists()


def test_another_member_of_staff_cannot_take_it(live: Live, cookie: str) -> None:
    name = live.connect(cookie).message("attached")["terminal"]
    eve = cookie_of(User.objects.create_user("eve", is_staff=True))
    told = live.connect(eve, query=f"?terminal={name}").message("attached")
    assert not told["resumed"] and told["terminal"] != name


def test_no_secret_reaches_the_shell_or_the_log(
    shared_database: None, cookie: str, tmp_path: Path
) -> None:
    canary = "canary-5c1e"
    secrets = {
        "INTELLIFL_SECRET_KEY": f"{canary}-{'k' * 50}",
        "OPENAI_API_KEY": canary,
        "PGPASSWORD": canary,
        "SOME_TOKEN": canary,
        "REDIS_URL": f"redis://:{canary}@127.0.0.1:1/0",
    }
    for kind in ("daphne", "uvicorn"):
        with running(kind, tmp_path, **secrets) as live:
            client = live.connect(cookie_with(secrets["INTELLIFL_SECRET_KEY"], cookie))
            environment = client.run("env; cat /proc/$$/environ | tr '\\0' '\\n'; set")
            assert "TERM=xterm-256color" in environment and canary not in environment
            parents = client.run("tr '\\0' '\\n' < /proc/$PPID/environ; cat /proc/$PPID/cmdline")
            assert "TERM=" in parents and canary not in parents
            client.say({"type": "close"})
            client.closed()
            assert canary not in live.logged()


def cookie_with(secret_key: str, cookie: str) -> str:
    """Return the cookie of the same user for a server that signs with another key."""
    from django.test import override_settings

    with override_settings(SECRET_KEY=secret_key):
        return cookie_of(User.objects.get())


def test_what_happened_is_in_the_log_but_not_what_was_typed(live: Live, cookie: str) -> None:
    client = live.connect(cookie)
    client.run("echo canary-typed")
    client.type("exit 5\n")
    client.closed()
    eventually(lambda: live.said("closed after"))
    log = live.logged()
    lines = [line for line in log.splitlines() if "terminal.audit" in line]
    assert len(lines) == 2 and all("'ada' from 127.0.0.1:" in line for line in lines)
    assert lines[1].endswith("exit 5")
    assert "canary" not in log


def test_a_session_that_ends_cannot_come_back(live: Live, cookie: str) -> None:
    name = live.connect(cookie).message("attached")["terminal"]
    Session.objects.all().delete()
    assert status_of(live, cookie=cookie, query=f"?terminal={name}") == 403
