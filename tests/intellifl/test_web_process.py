"""The server process: what it loads, and that a real one serves what the tests' client sees."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

ROOT = Path(__file__).parents[2]
FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
VISIT_EVERYTHING = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "intellifl.settings"
import intellifl.asgi
from django.conf import settings
from django.test import Client
from intellifl.api import api

settings.ALLOWED_HOSTS = ["testserver"]
client = Client(raise_request_exception=False)
config = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
created = client.post("/api/simulations", config, content_type="application/json")
values = {"simulation_id": created.json()["simulation_id"], "result_filename": "config.json"}
visited = {}
paths = api.get_openapi_schema(path_prefix="/")["paths"]
routes = [(m.upper(), p) for p, methods in paths.items() for m in methods if m != "delete"]
routes = [(m, p) for m, p in routes if not p.endswith(("/stream", "/logs"))]
pages = ["/simulations/", "/simulations/{simulation_id}/", "/docs", "/redoc", "/openapi.json",
         "/login/", "/query/", "/query/simulations/", "/query/datasets/", "/query/schema",
         "/assistant/", "/assistant/panel/"]
routes += [("GET", page) for page in pages] + [("DELETE", "/api/simulations/{simulation_id}")]
for method, path in routes:
    body = {**config, "display_name": "A"}
    answer = client.generic(method, path.format_map({**values, "name": "mnist"}),
                            "" if method == "GET" else json.dumps(body),
                            content_type="application/json")
    visited[f"{method} {path}"] = answer.status_code
libraries = ("torch", "flwr", "datasets", "matplotlib", "ray", "pydantic_ai", "openai")
heavy = [name for name in libraries if name in sys.modules]
print(json.dumps({"visited": visited, "heavy": heavy}))
"""


@pytest.mark.slow
def test_the_web_process_loads_no_training_or_plotting_library(shared_database: None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VISIT_EVERYTHING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["heavy"] == []
    assert len(told["visited"]) > 15
    failed = {route: status for route, status in told["visited"].items() if status >= 500}
    assert not failed
    assert told["visited"]["GET /api/simulations/{simulation_id}"] == 200


APPLICATION = "intellifl.asgi:application"


class Server:
    """A server of our application, reached by plain HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers, encode_chunked=False)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


@pytest.fixture
def server(shared_database: None, tmp_path: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path / "daphne.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "intellifl.server",
                "-p",
                str(port),
                "intellifl.asgi:application",
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "intellifl.settings"},
        )
    try:
        _wait_for(port, process, log)
        yield Server(port)
    finally:
        process.terminate()
        process.wait(60)
    text = log.read_text()
    assert " failed: " not in text, text
    assert "Warning" not in text, text


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.slow
def test_a_real_server_serves_the_contract(server: Server, out_dir: Path) -> None:
    status, headers, content = server.ask(
        "POST",
        "/api/simulations",
        json.dumps(FLAT).encode(),
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert status == 201
    url = headers["Location"]
    simulation_id = json.loads(content)["simulation_id"]

    status, headers, content = server.ask("GET", "/api/simulations")
    assert (status, headers["X-Total-Count"]) == (200, "1")
    assert server.ask("HEAD", "/api/simulations")[2] == b""
    assert json.loads(server.ask("GET", f"{url}/results/config.json")[2]) == FLAT
    assert server.ask("GET", "/docs")[0] == 200
    style = server.ask("GET", "/static/simulations/style.css")
    assert (style[0], style[1]["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert b"Simulations" in server.ask("GET", "/simulations/", Accept="text/html")[2]

    name = "größe 1.txt"
    (out_dir / simulation_id / name).write_bytes(b"y" * 300_000)
    status, headers, content = server.ask("GET", f"{url}/results/{quote(name)}?download=true")
    assert (status, content) == (200, b"y" * 300_000)
    assert "filename*=utf-8''gr%C3%B6%C3%9Fe%201.txt" in headers["Content-Disposition"]
    (out_dir.parent / "secret.txt").write_text("nobody may read this")
    for path in ("../../secret.txt", "%2e%2e/%2e%2e/secret.txt", "..%2f..%2fsecret.txt", "%00"):
        status, _, content = server.ask("GET", f"{url}/results/{path}")
        assert status in (400, 404), path
        assert b"nobody" not in content

    assert server.ask("POST", f"{url}/stop/")[0] == 200
    assert server.ask("DELETE", url)[0] == 200
    assert not (out_dir / simulation_id).exists()


@pytest.mark.slow
def test_a_real_server_refuses_what_is_too_large_or_foreign(server: Server) -> None:
    large = b'{"notes": "' + b"x" * (2 << 20) + b'"}'
    status, headers, content = server.ask("POST", "/api/simulations", large)
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")
    assert json.loads(content)["title"] == "Request Entity Too Large"

    chunks = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(32)) + b"0\r\n\r\n"
    status, _, _ = server.ask(
        "POST", "/api/simulations", chunks, **{"Transfer-Encoding": "chunked"}
    )
    assert status == 413
    status, _, _ = server.ask("POST", "/api/simulations/x/stop", large)
    assert status == 413

    small = json.dumps(FLAT).encode()
    assert server.ask("POST", "/api/simulations", small, Origin="http://evil.example")[0] == 403
    assert server.ask("POST", "/api/simulations", small, Host="evil.example")[0] == 400
    plain = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    assert server.ask("POST", "/api/simulations", small, **plain)[0] == 403
    assert json.loads(server.ask("GET", "/api/simulations")[2]) == []
