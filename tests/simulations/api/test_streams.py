"""The two streams over HTTP, from the server that `runserver` uses."""

from __future__ import annotations

import asyncio
import http.client
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from simulations.models import Simulation
from tests.conftest import NO_REDIS
from tests.servers import LOOPBACK, eventually
from tests.simulations.sse import Reader, read
from tests.web_server import WebServer

ROUTES = ("stream", "logs")
LINE = "2026-11-24T06:00:00.123 INFO round {} of 9 — αβγ\n"


class Daphne(WebServer):
    """A server process, and small clients of it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.out_dir = folder / "out"
        self._responses: list[HTTPResponse] = []
        super().__init__(
            folder / "daphne.log",
            DATABASE_URL=database_url,
            REDIS_URL=NO_REDIS,
            INTELLIFL_OUT_DIR=str(self.out_dir),
            INTELLIFL_DATA_DIR=str(Path(settings.DATA_DIR).resolve()),
        )

    def get(self, path: str, **headers: str) -> HTTPResponse:
        self._responses.append(self.open("GET", path, **headers))
        return self._responses[-1]

    def path(self, row: Simulation, route: str) -> str:
        return f"/api/simulations/{row.simulation_id}/{route}"

    def hang_up(self) -> None:
        for response in self._responses:
            response.close()


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daphne]:
    server = Daphne(tmp_path_factory.mktemp("daphne"), database_url)
    yield server
    server.stop()


@pytest.fixture
def daphne(server: Daphne, transactional_db: None, settings: Any) -> Iterator[Daphne]:
    settings.OUT_DIR = server.out_dir
    yield server
    server.hang_up()


@pytest.fixture
def running(daphne: Daphne, submit: Callable[..., Simulation]) -> Simulation:
    row = submit()
    Simulation.objects.filter(pk=row.pk).update(status="running", started_at=row.created_at)
    return row


@pytest.fixture
def log(daphne: Daphne, running: Simulation) -> Path:
    path = daphne.out_dir / running.simulation_id / "output.log"
    path.touch()
    return path


def append(log: Path, text: str) -> None:
    with log.open("ab") as file:
        file.write(text.encode())


def read_until(response: http.client.HTTPResponse, condition: Callable[[Reader], Any]) -> Reader:
    reader = Reader()
    while not condition(reader):
        data = response.read1(65536)
        assert data, f"the stream ended after {reader.events[-3:]}"
        reader.feed(data)
    return reader


@pytest.mark.parametrize("route", ROUTES)
def test_a_finished_run_is_sent_whole_and_the_server_closes(
    daphne: Daphne, running: Simulation, log: Path, end: Any, route: str
) -> None:
    append(log, LINE.format(1) + "  more\n" + LINE.format(2))
    end(running)
    response = daphne.get(daphne.path(running, route))
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"
    reader = read(response.read())
    assert reader.retry_ms == 3000
    assert reader.events[-1].kind == "done" and reader.events[-1].data == ""
    if route == "stream":
        assert reader.text() == log.read_text()
        assert reader.of("status")[0].value["status"] == "completed"
    else:
        messages = [event.value["message"] for event in reader.of("log")]
        assert messages == ["round 1 of 9 — αβγ\n  more", "round 2 of 9 — αβγ"]
        assert reader.of("log")[0].value.keys() == {"timestamp", "level", "message"}
    again = read(
        daphne.get(daphne.path(running, route), **{"Last-Event-ID": reader.last_id()}).read()
    )
    assert [event.kind for event in again.events] == ["done"]
    before = reader.events[-2].id
    after = read(daphne.get(f"{daphne.path(running, route)}?after={before}").read())
    assert [event.kind for event in after.events] == ["done"]


def test_the_status_is_what_the_status_route_answers(daphne: Daphne, running: Simulation) -> None:
    expected = daphne.get(daphne.path(running, "status")).read()
    reader = read_until(daphne.get(daphne.path(running, "stream")), lambda seen: seen.events)
    assert reader.events[0].data.encode() == expected.replace(b": ", b":").replace(b", ", b",")


def test_a_run_is_followed_to_its_end(
    daphne: Daphne, running: Simulation, log: Path, end: Any
) -> None:
    response = daphne.get(daphne.path(running, "stream"))
    first = read_until(response, lambda seen: seen.of("status"))
    assert first.of("status")[0].value["status"] == "running"
    append(log, LINE.format(1))
    second = read_until(response, lambda seen: seen.of("output"))
    assert second.text() == LINE.format(1)
    Simulation.objects.filter(pk=running.pk).update(current_round=1, rounds_done=1)
    third = read_until(response, lambda seen: seen.of("status"))
    assert third.of("status")[0].value["progress"] == 0.25
    append(log, "failed")
    end(running, "failed", error="no data")
    rest = read(response.read())
    assert rest.text() == "failed"
    assert rest.of("status")[-1].value["error"] == "no data"
    assert rest.events[-1].kind == "done"


def test_random_disconnects_lose_and_repeat_nothing(
    daphne: Daphne, running: Simulation, log: Path, end: Any
) -> None:
    chance = random.Random(5)
    fragments = ["data: x\n", "\r", "\r\n", "\n\n", "€😀\u2028", "x" * 3000, LINE.format(3)]
    written = b"".join(chance.choice(fragments).encode() for _ in range(1500)) + b"\xff\xe2\x82"

    def produce() -> None:
        at = 0
        with log.open("ab", buffering=0) as file:
            while at < len(written):
                at += file.write(written[at : at + chance.randint(1, 20_000)])
                time.sleep(0.02)
        end(running)
        connection.close()

    producer = threading.Thread(target=produce)
    producer.start()
    text, last_id, kinds, responses = "", "", [], 0
    while "done" not in kinds:
        response = daphne.get(daphne.path(running, "stream"), **{"Last-Event-ID": last_id})
        enough = chance.randint(1, 150_000)

        def has_enough(seen: Reader, enough: int = enough) -> bool:
            return seen.size > enough or bool(seen.of("done"))

        reader = read_until(response, has_enough)
        response.close()
        responses += 1
        text += reader.text()
        last_id = reader.last_id() or last_id
        kinds += [event.kind for event in reader.events]
    producer.join()
    assert text == written.decode("utf-8", "replace")
    assert kinds.count("status") == 2
    assert responses > 3


@pytest.mark.parametrize("route", ROUTES)
def test_a_deleted_run_ends_with_done(
    daphne: Daphne, running: Simulation, log: Path, route: str
) -> None:
    append(log, LINE.format(1))
    response = daphne.get(daphne.path(running, route))
    read_until(response, lambda seen: seen.events)
    Simulation.objects.filter(pk=running.pk).delete()
    assert read(response.read()).events[-1].kind == "done"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("simulation_id", "query", "status"),
    [("nobody", "", 404), ("a%20b", "", 400), ("x" * 65, "", 400), ("{id}", "?after=-1", 400)],
)
def test_an_error_is_a_problem_and_no_stream(
    daphne: Daphne, running: Simulation, route: str, simulation_id: str, query: str, status: int
) -> None:
    own = simulation_id.replace("{id}", running.simulation_id)
    response = daphne.get(f"/api/simulations/{own}/{route}{query}")
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert b'"detail": ' in response.read()


def test_head_has_the_headers_and_ends(daphne: Daphne, running: Simulation) -> None:
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{daphne.port}{daphne.path(running, 'stream')}", method="HEAD"
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.read() == b""


def test_waiting_clients_hold_no_database_and_no_log_open(
    daphne: Daphne, running: Simulation, log: Path, database_path: Path
) -> None:
    responses = [daphne.get(daphne.path(running, route)) for route in ROUTES * 10]
    for response in responses[::2]:
        read_until(response, lambda seen: seen.events)

    def opened() -> list[str]:
        paths = {str(database_path), str(log)}
        return [file.path for file in daphne.process.open_files() if file.path in paths]

    # The poller opens both for a moment of each look.
    assert min(len(opened()) for _ in range(50)) == 0
    assert max(len(opened()) for _ in range(50)) <= 3


def test_the_server_ends_with_open_streams(
    daphne: Daphne, running: Simulation, database_url: str, tmp_path: Path
) -> None:
    other = Daphne(tmp_path, database_url)
    responses = [other.get(daphne.path(running, route)) for route in ROUTES]
    assert [response.status for response in responses] == [200, 200]
    other.stop()
    other.hang_up()


def test_a_client_that_goes_away_is_forgotten(daphne: Daphne, running: Simulation) -> None:
    base = daphne.process.num_threads()
    responses = [daphne.get(daphne.path(running, route)) for route in ROUTES * 5]
    assert daphne.process.num_threads() > base
    for response in responses:
        response.close()
    eventually(lambda: daphne.process.num_threads() <= base + 1)


def test_the_view_answers_without_a_server_too(running: Simulation, log: Path, end: Any) -> None:
    append(log, LINE.format(1))
    end(running)

    async def receive() -> Reader:
        response = await AsyncClient().get(f"/api/simulations/{running.simulation_id}/stream")
        assert isinstance(response, StreamingHttpResponse)
        return read(b"".join([part async for part in response]))

    assert [event.kind for event in asyncio.run(receive()).events] == ["status", "output", "done"]


async def follow(daphne: Daphne, path: str, connected: Callable[[], None]) -> Reader:
    """Read a stream to its end; HTTP/1.0, so that the body comes as it is."""
    source, sink = await asyncio.open_connection(LOOPBACK, daphne.port)
    sink.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
    assert (await source.readuntil(b"\r\n\r\n")).split(b" ")[1] == b"200"
    reader, is_first = Reader(), True
    while data := await source.read(65536):
        reader.feed(data)
        if is_first:
            connected()
        is_first = False
    sink.close()
    return reader


@pytest.mark.slow
def test_a_hundred_clients_receive_everything_and_leave_nothing(
    daphne: Daphne, running: Simulation, log: Path, end: Any
) -> None:
    daphne.get(daphne.path(running, "status")).read()
    threads, rss = daphne.process.num_threads(), daphne.process.memory_info().rss
    lines = [LINE.format(number) for number in range(200)]
    connected: list[int] = []

    def finish() -> None:
        end(running)
        connection.close()

    async def crowd() -> list[Reader]:
        paths = [daphne.path(running, ROUTES[number % 2]) for number in range(100)]
        clients = [
            asyncio.create_task(follow(daphne, path, lambda: connected.append(1))) for path in paths
        ]
        while len(connected) < 100:
            await asyncio.sleep(0.05)
        for number in range(0, 200, 10):
            append(log, "".join(lines[number : number + 10]))
            await asyncio.sleep(0.1)
        await asyncio.to_thread(finish)
        return await asyncio.gather(*clients)

    readers = asyncio.run(crowd())
    for reader in readers:
        assert reader.events[-1].kind == "done"
        messages = [event.value["message"] for event in reader.of("log")]
        assert reader.text() == "".join(lines) or messages == [line[29:-1] for line in lines]
    eventually(lambda: daphne.process.num_threads() <= threads + 1)
    assert daphne.process.memory_info().rss - rss < 40 << 20


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_a_client_that_never_reads_costs_little(
    daphne: Daphne, running: Simulation, log: Path, route: str
) -> None:
    daphne.get(daphne.path(running, "status")).read()
    rss = daphne.process.memory_info().rss
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect((LOOPBACK, daphne.port))
        path = daphne.path(running, route)
        stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n\r\n".encode())
        block = "".join(LINE.format(number) for number in range(20_000))
        highest = 0
        for _ in range(60):
            if log.stat().st_size < 50 << 20:
                append(log, block)
            time.sleep(0.2)
            highest = max(highest, daphne.process.memory_info().rss)
        assert log.stat().st_size >= 50 << 20
    assert highest - rss < 50 << 20
