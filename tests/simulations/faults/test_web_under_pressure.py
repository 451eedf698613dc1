"""The web server while the database is locked, and while clients dawdle."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from simulations.models import Simulation
from tests.servers import LOOPBACK
from tests.web_server import Answer, WebServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[Callable[[], bool]]:
    """Hold SQLite's write lock from another connection for so long; yield whether it is held."""
    holder = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(seconds, holder.rollback)
    timer.start()
    yield timer.is_alive
    timer.join()
    holder.close()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="locks SQLite's file")
def test_a_database_that_is_locked_for_ten_seconds_loses_no_request(
    web: Callable[[], WebServer], database_path: Path, flat: dict[str, Any]
) -> None:
    server = web()
    answers: list[Answer] = []

    def submit() -> None:
        answers.append(server.ask("POST", "/api/simulations", flat))

    with locked(database_path, 10.0) as is_held:
        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert server.ask("GET", "/api/queue/status").status == 200
        assert is_held()
    for thread in threads:
        thread.join()
    accepted = [answer for answer in answers if answer.status == 201]
    refused = [answer for answer in answers if answer.status == 503]
    assert len(answers) == 8 == len(accepted) + len(refused)
    assert all("Retry-After" in answer.headers for answer in refused)
    ids = set(Simulation.objects.values_list("simulation_id", flat=True))
    assert ids == {answer.json["simulation_id"] for answer in accepted}


def test_clients_that_dawdle_over_their_headers_hold_up_nobody(
    web: Callable[[], WebServer],
) -> None:
    server = web()
    process = server.process
    before = process.memory_info().rss
    dawdlers = []
    for _ in range(300):
        dawdler = socket.create_connection((LOOPBACK, server.port), 5)
        dawdler.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        dawdlers.append(dawdler)
    for _ in range(5):
        for dawdler in dawdlers:
            dawdler.sendall(b"a")
        assert server.ask("GET", "/api/queue/status").status == 200
    assert process.memory_info().rss - before < 30 * 2**20
    for dawdler in dawdlers:
        dawdler.close()


def test_a_hundred_megabytes_of_body_are_refused_without_taking_memory(
    web: Callable[[], WebServer],
) -> None:
    server = web()
    process = server.process
    before = process.memory_info().rss
    with socket.create_connection((LOOPBACK, server.port), 20) as client:
        head = f"POST /api/simulations HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
        client.sendall(f"{head}Content-Length: {100 * 2**20}\r\n\r\n".encode())
        sent = 0
        try:
            while sent < 100 * 2**20:
                sent += client.send(b"x" * 65536)
        except OSError:
            pass
        try:
            answer = client.recv(65536)
        except OSError:
            answer = b""
    assert answer == b"" or b" 413 " in answer
    assert server.ask("GET", "/api/queue/status").status == 200
    assert process.memory_info().rss - before < 50 * 2**20


@pytest.mark.parametrize(
    "route", ["/simulations/{}/files.zip", "/api/simulations/{}/results/b.txt"]
)
def test_who_takes_nothing_of_a_large_answer_costs_little_and_gets_all_of_it_later(
    web: Callable[[], WebServer], submit: Callable[..., Simulation], out_dir: Path, route: str
) -> None:
    server, row = web(), submit()
    content = os.urandom(60 << 20)
    (out_dir / row.simulation_id / "b.txt").write_bytes(content)
    process = server.process
    assert server.ask("GET", "/api/queue/status").status == 200
    before = process.memory_info().rss
    with socket.create_connection((LOOPBACK, server.port), 20) as client:
        path = route.format(row.simulation_id)
        head = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode())
        highest = 0
        for _ in range(20):
            time.sleep(0.1)
            highest = max(highest, process.memory_info().rss)
        assert highest - before < 25 * 2**20
        size = 0
        while chunk := client.recv(1 << 16):
            size += len(chunk)
    assert size > len(content)
    assert server.ask("GET", "/api/queue/status").status == 200
