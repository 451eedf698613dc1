"""The WebSocket on real servers, with real shells."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from websockets.exceptions import ConnectionClosed, InvalidStatus

from terminal import clients, tokens
from terminal.models import OneTimeToken
from tests.servers import LOOPBACK, eventually
from tests.terminal.live import Live, Socket, cookie_of, is_alive, running

pytestmark = pytest.mark.slow
MB = 1 << 20


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


def test_a_plain_client_types_text_and_exit_closes_normally(live: Live, cookie: str) -> None:
    plain = live.connect(cookie, panel=False)
    assert plain.run("pwd; echo größe 日本") == f"{Path(__file__).parents[2]}\r\ngröße 日本\r\n"
    plain.say({"type": "resize", "cols": 120, "rows": 40})
    assert plain.run("stty size") == "40 120\r\n"
    plain.type("exit\n")
    assert plain.closed() == 1000
    eventually(lambda: not live.descendants())


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


def test_characters_split_over_reads_arrive_whole(live: Live, cookie: str) -> None:
    for panel in (True, False):
        client = live.connect(cookie, panel=panel)
        program = "for i in $(seq 300); do printf '\\xe6\\x97'; sleep 0.002; printf '\\xa5'; done"
        assert client.run(program) == "日" * 300
        assert "日" * 20000 in client.run("printf '日%.0s' $(seq 20000)")


def test_wrong_messages_are_answered_and_not_without_end(live: Live, cookie: str) -> None:
    numbers = ['"80"', "-1", "0", "1001", "1000000000", "80.5", "NaN", "Infinity", "null", "[]"]
    for panel in (True, False):
        client = live.connect(cookie, panel=panel)
        client.run("true")
        for number in numbers:
            client.say(f'{{"type": "resize", "cols": {number}, "rows": 24}}')
            if panel:
                assert "cols must be a whole number" in client.message("error")["detail"]
            else:
                client.until("cols must be a whole number")
        assert client.run("stty size") == "24 80\r\n", "nothing changed, and all goes on"
        for _ in range(20 - len(numbers)):
            client.say('{"type": "resize"}')
        assert client.closed() == clients.TOO_MANY_ERRORS


def test_our_dialect_answers_what_it_does_not_know(live: Live, cookie: str) -> None:
    client = live.connect(cookie)
    for text in ("ls\n", "{", "[1]", '{"type": "stdin"}', '{"type": "ack", "bytes": 10000000000}'):
        client.say(text)
        assert client.message("error")["detail"].endswith(".")
    client.connection.send(b"echo al''ive\n\x00")
    client.until("alive")


def test_ten_megabytes_in_a_frame_close_the_connection_and_nothing_else(
    live: Live, cookie: str
) -> None:
    other = live.connect(cookie)
    other.run("true")
    before = live.memory_mb()
    for panel in (True, False):
        client = live.connect(cookie, panel=panel)
        client.run("true")
        try:
            client.connection.send(b"k" * (10 * MB) if panel else "k" * (10 * MB))
            code = client.closed()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        assert code in (None, 1009, clients.TOO_LARGE)
        assert other.run("echo still here") == "still here\r\n"
    assert live.memory_mb() - before < 50


def test_keys_for_a_program_that_does_not_read_are_bounded(live: Live, cookie: str) -> None:
    client = live.connect(cookie)
    client.type("stty raw -echo; echo re''ady; sleep 600\n")
    client.until("ready")
    before = live.memory_mb()
    with pytest.raises(ConnectionClosed):
        for _ in range(60):
            client.connection.send(b"k" * (MB // 2))
            with suppress(TimeoutError):
                client.take(0.1)
        client.closed(30)
    assert live.memory_mb() - before < 50
    details = [told["detail"] for told in client.told if told["type"] == "error"]
    assert details and set(details) == {"The shell does not read what is typed; this was dropped."}


@pytest.mark.parametrize("panel", [True, False], ids=["panel", "plain"])
def test_a_client_that_takes_nothing_costs_little_and_stops_the_shell(
    live: Live, cookie: str, panel: bool
) -> None:
    """200 MB and more would be printed, were they read."""
    other = live.connect(cookie)
    other.run("true")
    # A buffer of 16 frames at the client is all that it takes without being asked.
    stalled = live.connect(cookie, panel=panel)
    stalled.run("true")
    stalled.acknowledges = False
    before = live.memory_mb()
    stalled.type("cat /dev/zero | tr '\\0' y\n")
    time.sleep(1.5)
    busy = [process for process in live.descendants() if process.name() == "cat"]
    used = cpu_seconds(busy)
    for _ in range(30):
        other.run("true")
        time.sleep(0.1)
    assert live.memory_mb() - before < 50
    assert cpu_seconds(busy) - used < 0.3, "the shell itself is held back"
    stalled.type("\x03")
    stalled.acknowledges = True
    stalled.until("^C", 60)


def cpu_seconds(processes: list[psutil.Process]) -> float:
    assert processes
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


def test_exactly_what_is_acknowledged_comes(live: Live, cookie: str) -> None:
    client = live.connect(cookie)
    client.run("true")
    client.acknowledges = False
    client.received = 0
    client.type("yes\n")
    with pytest.raises(TimeoutError):
        while True:
            client.take(1.0)
    first = client.received
    assert clients.HIGH_BYTES <= first < clients.HIGH_BYTES + (64 << 10)
    client.say({"type": "ack", "bytes": first})
    with pytest.raises(TimeoutError):
        while True:
            client.take(1.0)
    assert clients.HIGH_BYTES <= client.received - first < clients.HIGH_BYTES + (64 << 10)


def test_a_client_that_takes_everything_gets_everything(live: Live, cookie: str) -> None:
    for panel in (True, False):
        client = live.connect(cookie, panel=panel)
        printed = client.run("seq 1000000")
        assert printed.split("\r\n")[:-1] == [str(number) for number in range(1, 1000001)]


def test_at_most_four(live: Live, cookie: str) -> None:
    four = [live.connect(cookie, panel=False) for _ in range(4)]
    for each in four:
        each.run("true")
    for panel in (True, False):
        fifth = live.connect(cookie, panel=panel)
        assert fifth.closed() == clients.TRY_LATER
        if panel:
            assert fifth.told == [
                {"type": "error", "detail": "4 terminals are open, as many as may be."}
            ]
    assert len(live.process.children()) == 4
    four[0].type("exit\n")
    assert four[0].closed() == 1000
    live.connect(cookie).message("attached")


def test_who_reloads_gets_the_same_shell_and_its_screen(live: Live, cookie: str) -> None:
    first = live.connect(cookie)
    name = first.message("attached")["terminal"]
    first.run("secret=kept; echo on the screen")
    first.connection.socket.shutdown(socket.SHUT_RDWR)
    second = live.connect(cookie, query=f"?terminal={name}")
    told = second.message("attached")
    assert told["resumed"] and told["terminal"] == name and told["replay"] > 0
    second.until("on the screen\r\n")
    second.skip(told["replay"])
    assert second.run("echo $secret") == "kept\r\n"
    third = live.connect(cookie, query=f"?terminal={name}")
    third.skip(third.message("attached")["replay"])
    assert second.closed() == clients.REPLACED
    assert third.run("echo $secret") == "kept\r\n"
    third.say({"type": "close"})
    assert third.closed() == 1000
    assert third.told[-1] == {"type": "ended", "reason": "closed by its user"}
    fourth = live.connect(cookie, query=f"?terminal={name}")
    assert not fourth.message("attached")["resumed"]


def test_another_member_of_staff_cannot_take_it(live: Live, cookie: str) -> None:
    name = live.connect(cookie).message("attached")["terminal"]
    eve = cookie_of(User.objects.create_user("eve", is_staff=True))
    told = live.connect(eve, query=f"?terminal={name}").message("attached")
    assert not told["resumed"] and told["terminal"] != name


def test_the_end_of_a_plain_connection_ends_all_its_processes(live: Live, cookie: str) -> None:
    client = live.connect(cookie, panel=False)
    client.run("setsid sleep 600 & nohup sleep 600 > /dev/null 2>&1 & (setsid sleep 600 &)")
    found = eventually(lambda: with_sleeps(live, 3))
    client.connection.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: not any(is_alive(process) for process in found))
    eventually(lambda: live.said("its connection ended"))


def with_sleeps(live: Live, count: int) -> list[psutil.Process] | None:
    """Return all that descends from the server once so many of them sleep."""
    found = live.descendants()
    names = [process.name() for process in found if is_alive(process)]
    return found if names.count("sleep") == count else None


def test_a_stopped_server_ends_and_leaves_no_shell(fresh: Live, cookie: str) -> None:
    clients_ = [fresh.connect(cookie, panel=panel) for panel in (True, False)]
    for client in clients_:
        client.run("setsid sleep 600 & true")
    clients_[0].acknowledges = False
    clients_[0].type("yes\n")
    time.sleep(0.3)
    found = eventually(lambda: with_sleeps(fresh, 2))
    fresh.process.send_signal(signal.SIGTERM)
    fresh.process.wait(60)
    eventually(lambda: not any(is_alive(process) for process in found))


def test_a_killed_server_leaves_no_shell(fresh: Live, cookie: str) -> None:
    client = fresh.connect(cookie)
    client.run("setsid sleep 600 & true")
    found = eventually(lambda: with_sleeps(fresh, 1))
    fresh.process.kill()
    fresh.process.wait(60)
    eventually(lambda: not any(is_alive(process) for process in found))


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


def test_many_connections_give_everything_back(live: Live, cookie: str) -> None:
    def once(panel: bool) -> None:
        client = live.connect(cookie, panel=panel)
        client.run("true")
        client.type("exit\n")
        assert client.closed() == 1000

    for _ in range(3):
        once(True)
    eventually(lambda: not live.process.children())
    files, threads = live.process.num_fds(), live.process.num_threads()
    before = live.memory_mb()
    for number in range(20):
        once(number % 2 == 0)
    live.connections.close()
    eventually(lambda: live.process.num_fds() <= files)
    assert live.process.num_threads() <= threads + 1
    assert live.memory_mb() - before < 10


def test_pages_are_answered_while_terminals_print(live: Live, cookie: str) -> None:
    printing = [live.connect(cookie, panel=panel) for panel in (True, False, True)]
    over = threading.Event()

    def take(client: Socket) -> None:
        client.type("yes\n")
        while not over.is_set():
            client.take()
            client.printed = b""

    threads = [threading.Thread(target=take, args=(client,)) for client in printing]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    for _ in range(20):
        connection = HTTPConnection(LOOPBACK, live.port, timeout=60)
        connection.request("GET", "/static/terminal/panel.css")
        assert connection.getresponse().status == 200
        connection.close()
    over.set()
    for thread in threads:
        thread.join()
