"""A notebook's way: real servers, files read by pandas over HTTP, clients that stop reading."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pandas
import pytest

from intellifl.access import tokens
from simulations.models import ClientRound, Simulation, StrategyRun
from tests.servers import LOOPBACK, eventually
from tests.web_server import COMMANDS, WebServer

MIB = 1 << 20
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=list(COMMANDS))
def server(
    request: Any, shared_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WebServer]:
    monkeypatch.setenv("NO_PROXY", LOOPBACK)
    """Return a server with the test's database; it demands a login."""
    started = WebServer(tmp_path / "server.log", request.param, INTELLIFL_REQUIRE_AUTH="1")
    yield started
    started.stop()
    assert " failed: " not in started.log.read_text()
    assert "Warning" not in started.log.read_text()


@pytest.fixture
def run(submit: Callable[..., Simulation], record: Callable[..., StrategyRun]) -> Simulation:
    row = submit()
    record(row, rounds=100, clients=100)
    record(submit(), rounds=2)
    return row


def test_pandas_reads_a_run_as_documented(server: WebServer, run: Simulation) -> None:
    token = tokens.create("notebook")
    url = f"{server.origin}/query/client-rounds.csv?simulation={run.simulation_id}"
    clients = pandas.read_csv(url, storage_options={"Authorization": f"Bearer {token}"})
    stored = ClientRound.objects.filter(strategy_run__simulation=run).order_by("pk")
    assert len(clients) == 10_000
    assert clients.loss.tolist() == list(stored.values_list("loss", flat=True))
    assert clients.is_malicious.dtype == bool
    assert clients.is_malicious.tolist() == list(stored.values_list("is_malicious", flat=True))
    assert clients.accuracy.isna().all()
    table = clients.pivot(index="round_number", columns="client_id", values="loss")
    assert table.shape == (100, 100)

    with pytest.raises(HTTPError) as refused:
        pandas.read_csv(url)
    assert refused.value.code == 401
    refused.value.close()


def ask_for(server: WebServer, token: str, path: str) -> socket.socket:
    client = socket.create_connection((LOOPBACK, server.port), 30)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lines = [f"GET /query/{path} HTTP/1.1", f"Host: {LOOPBACK}", f"Authorization: Bearer {token}"]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client


def test_clients_that_go_away_leave_nothing(server: WebServer, run: Simulation) -> None:
    token = tokens.create("notebook")
    path = f"client-rounds.csv?simulation={run.simulation_id}"
    for _ in range(3):
        _read_a_little(server, token, path)
    time.sleep(1)
    threads, files = server.process.num_threads(), server.process.num_fds()
    before = server.process.memory_info().rss
    for _ in range(20):
        _read_a_little(server, token, path)
    eventually(lambda: server.process.num_threads() <= threads)
    eventually(lambda: server.process.num_fds() <= files)
    assert server.process.memory_info().rss - before < 30 * MIB
    assert server.ask("GET", "/api/health").status == 200


def _read_a_little(server: WebServer, token: str, path: str) -> None:
    with ask_for(server, token, path) as client:
        assert client.recv(512).startswith(b"HTTP/1.1 200")


def test_memory_stays_flat_while_a_file_is_read(server: WebServer, run: Simulation) -> None:
    token = tokens.create("notebook")
    _read_whole(server, token, "client-rounds.csv")
    before = server.process.memory_info().rss
    for _ in range(5):
        assert _read_whole(server, token, "client-rounds.csv") > MIB // 2
    assert server.process.memory_info().rss - before < 15 * MIB


def _read_whole(server: WebServer, token: str, path: str) -> int:
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=60)
    connection.request("GET", f"/query/{path}", headers={"Authorization": f"Bearer {token}"})
    content = connection.getresponse().read()
    connection.close()
    return len(content)
