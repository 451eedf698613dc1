"""The WebSocket on real servers, with real shells."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from terminal import clients
from tests.servers import LOOPBACK, eventually
from tests.terminal.live import Live, Socket, is_alive

pytestmark = pytest.mark.slow
MB = 1 << 20


def test_a_plain_client_types_text_and_exit_closes_normally(live: Live, cookie: str) -> None:
    plain = live.connect(cookie, panel=False)
    assert plain.run("pwd; echo größe 日本") == f"{Path(__file__).parents[2]}\r\ngröße 日本\r\n"
    plain.say({"type": "resize", "cols": 120, "rows": 40})
    assert plain.run("stty size") == "40 120\r\n"
    plain.type("exit\n")
    assert plain.closed() == 1000
    eventually(lambda: not live.descendants())


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
