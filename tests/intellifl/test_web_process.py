"""The server process: what it loads, and that a real one serves what the tests' client sees."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.web_server import WebServer

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


@pytest.fixture
def server(shared_database: None, tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "daphne.log")
    yield server
    server.stop()
    text = server.log.read_text()
    assert " failed: " not in text, text
    assert "Warning" not in text, text


@pytest.mark.slow
def test_a_real_server_serves_the_contract(server: WebServer, out_dir: Path) -> None:
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
    assert server.ask("HEAD", "/api/simulations").content == b""
    assert server.ask("GET", f"{url}/results/config.json").json == FLAT
    assert server.ask("GET", "/docs").status == 200
    style = server.ask("GET", "/static/simulations/style.css")
    assert (style.status, style.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert b"Simulations" in server.ask("GET", "/simulations/", Accept="text/html").content

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

    assert server.ask("POST", f"{url}/stop/").status == 200
    assert server.ask("DELETE", url).status == 200
    assert not (out_dir / simulation_id).exists()


@pytest.mark.slow
def test_a_real_server_refuses_what_is_too_large_or_foreign(server: WebServer) -> None:
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
    assert server.ask("POST", "/api/simulations", small, Origin="http://evil.example").status == 403
    assert server.ask("POST", "/api/simulations", small, Host="evil.example").status == 400
    plain = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    assert server.ask("POST", "/api/simulations", small, **plain).status == 403
    assert server.ask("GET", "/api/simulations").json == []
