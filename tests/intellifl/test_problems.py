"""Every error has one shape, and nothing malformed leaves a row or a folder."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from simulations import selectors
from simulations.models import Simulation

LIST = "/api/simulations"
FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
JSON = "application/json"
MIB = 1 << 20
pytestmark = pytest.mark.django_db


def with_changes(**changes: Any) -> bytes:
    return json.dumps({**FLAT, **changes}).encode()


def nested(opening: str, depth: int = 100_000) -> bytes:
    closing = {"[": "]", '{"a":': "}"}[opening]
    return (opening * depth + "1" + closing * depth).encode()


MALFORMED: dict[str, tuple[bytes, str, int]] = {
    "empty": (b"", JSON, 422),
    "blank": (b"  \n", JSON, 422),
    "no json": (b"num_of_rounds=4", JSON, 422),
    "form data": (b"num_of_rounds=4&x=1", "application/x-www-form-urlencoded", 422),
    "cut off": (with_changes()[:-1], JSON, 422),
    "null": (b"null", JSON, 422),
    "a list": (b"[]", JSON, 422),
    "a string": (b'"fedavg"', JSON, 422),
    "a number": (b"1", JSON, 422),
    "no settings": (b"{}", JSON, 422),
    "NaN": (b'{"learning_rate": NaN}', JSON, 422),
    "infinity": (b'{"learning_rate": -Infinity}', JSON, 422),
    "overflow": (b'{"learning_rate": 1e999}', JSON, 422),
    "huge integer": (b'{"num_of_rounds": ' + b"9" * 5000 + b"}", JSON, 422),
    "large integer": (with_changes(num_of_rounds=10**300), JSON, 422),
    "large seed": (with_changes(seed=2**63), JSON, 422),
    "large rate": (with_changes(learning_rate=10**400), JSON, 422),
    "duplicate key": (b'{"num_of_rounds": 1, "num_of_rounds": 2}', JSON, 422),
    "deep lists": (nested("["), JSON, 422),
    "deep objects": (nested('{"a":'), JSON, 422),
    "unclosed lists": (b"[" * 100_000, JSON, 422),
    "not UTF-8": (b'{"display_name": "\xff\xfe"}', JSON, 422),
    "NUL in a value": (with_changes(display_name="a\0b"), JSON, 422),
    "NUL in a key": (with_changes(**{"a\0": 1}), JSON, 422),
    "NUL in a list": (with_changes(tags=["a\0"]), JSON, 422),
    "half a character": (b'{"notes": "\\ud800"}', JSON, 422),
    "raw control character": (b'{"notes": "a\x01"}', JSON, 422),
    "wrong type": (with_changes(num_of_rounds="four"), JSON, 422),
    "a boolean for a number": (with_changes(num_of_rounds=True), JSON, 422),
    "an object for a number": (with_changes(num_of_rounds={}), JSON, 422),
    "a fraction of a round": (with_changes(num_of_rounds=1.5), JSON, 422),
    "negative": (with_changes(num_of_rounds=-1), JSON, 422),
    "zero": (with_changes(num_of_rounds=0), JSON, 422),
    "unknown setting": (with_changes(num_of_round=4), JSON, 422),
    "unknown strategy": (with_changes(aggregation_strategy_keyword="best"), JSON, 422),
    "unknown dataset": (with_changes(dataset_keyword="../../etc"), JSON, 422),
    "a list for a keyword": (with_changes(dataset_keyword=["digits"]), JSON, 422),
    "bad schedule": (with_changes(attack_schedule=[None, 1, {}]), JSON, 422),
    "no strategies": (b'{"simulation_strategies": []}', JSON, 422),
    "strategies of nothing": (b'{"simulation_strategies": [null, []]}', JSON, 422),
    "shared settings of a list": (
        b'{"shared_settings": [], "simulation_strategies": [{}]}',
        JSON,
        422,
    ),
    "long name": (with_changes(display_name="x" * 101), JSON, 422),
    "plain text": (with_changes(), "text/plain", 415),
    "xml": (with_changes(), "application/xml", 415),
    "multipart": (b"--x--", "multipart/form-data; boundary=x", 415),
    "not really json": (with_changes(), "application/jsonp", 415),
    "too large": (with_changes(notes="x" * 2 * MIB), JSON, 413),
}


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"] == HTTPStatus(status).phrase
    assert body["detail"].endswith((".", "?", "!")) and body["detail"][0] != " "
    assert set(body) <= {"type", "title", "status", "detail", "errors", "request_id"}
    assert "Traceback" not in answer.content.decode()
    return body


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_submission_is_refused_and_leaves_nothing(
    client: Client, out_dir: Path, name: str
) -> None:
    content, content_type, status = MALFORMED[name]
    answer = client.generic("POST", LIST, content, content_type=content_type)
    body = assert_problem(answer, status)
    if status == 422:
        assert body["errors"]
        assert all(isinstance(error, str) and error for error in body["errors"])
    assert not Simulation.objects.exists()
    assert not out_dir.exists() or not list(out_dir.iterdir())


@pytest.mark.parametrize("name", MALFORMED)
def test_validation_judges_what_submission_refuses(client: Client, name: str) -> None:
    content, content_type, status = MALFORMED[name]
    answer = client.generic("POST", "/api/validate", content, content_type=content_type)
    if status == 422:
        assert answer.status_code == 200
        assert answer.json()["valid"] is False
        assert answer.json()["errors"]
    else:
        assert_problem(answer, status)


def test_everything_wrong_is_listed_by_path(client: Client) -> None:
    content = with_changes(num_of_rounds=0, learning_rate=-1, colour="red")
    body = assert_problem(client.generic("POST", LIST, content, content_type=JSON), 422)
    assert sorted(error.split(":")[0] for error in body["errors"]) == [
        "colour",
        "learning_rate",
        "num_of_rounds",
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("POST", "/api/nothing/", 404),
        ("POST", "/api/simulations/x/nothing", 404),
        ("GET", "/api/simulations/unknown", 404),
        ("GET", "/api/simulations/unknown/config", 404),
        ("GET", "/api/simulations/unknown/status", 404),
        ("GET", "/api/simulations/unknown/plot-data", 404),
        ("GET", "/api/simulations/unknown/all-plot-data", 404),
        ("GET", "/api/simulations/unknown/attack-snapshots", 404),
        ("GET", "/api/simulations/unknown/results/a.png", 404),
        ("POST", "/api/simulations/unknown/stop", 404),
        ("DELETE", "/api/simulations/unknown", 404),
        ("GET", "/api/simulations/not.an.id", 400),
        ("GET", "/api/simulations/%00", 400),
        ("GET", "/api/simulations/..", 400),
        ("GET", "/api/simulations/%2e%2e", 400),
        ("GET", "/api/simulations/%2e%2e%2fx", 404),
        ("GET", "/api/simulations/a%0ab/status", 400),
        ("GET", f"/api/simulations/{'x' * 65}", 400),
        ("POST", "/api/simulations/a%20b/stop", 400),
        ("DELETE", "/api/simulations/ü", 400),
        ("PUT", "/api/simulations", 405),
        ("PUT", "/api/simulations/x", 405),
        ("GET", "/api/simulations/x/stop", 405),
        ("POST", "/api/simulations/x/rename", 405),
        ("POST", "/api/health", 405),
        ("DELETE", "/", 405),
        ("BREW", "/api/health", 405),
        ("GET", "/api/simulations/x/results/", 404),
        ("GET", "/query/nothing/", 404),
        ("GET", "/query/simulations/unknown/", 404),
        ("GET", "/query/simulations/not.an.id/", 404),
        ("GET", "/query/rounds/%00/", 404),
        ("GET", "/query/rounds.xls", 400),
        ("GET", "/query/rounds/?cursor=%00", 400),
        ("GET", "/query/rounds/?round=%ff%fe", 400),
        ("POST", "/query/rounds/", 405),
        ("DELETE", "/query/simulations/x/", 405),
        ("BREW", "/query/", 405),
    ],
)
def test_every_miss_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    answer = client.generic(method, path)
    assert_problem(answer, status)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"display_name": []}', b"{"])
def test_a_bad_body_of_rename_names_the_field(client: Client, content: bytes) -> None:
    url = f"{LIST}/x/rename"
    body = assert_problem(client.generic("PATCH", url, content, content_type=JSON), 422)
    assert all("payload" not in error.split(".")[0:1] for error in body["errors"])


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"simulation_ids": "x"}', b'{"simulation_ids": [1]}']
)
def test_a_bad_body_of_bulk_delete_is_refused(client: Client, content: bytes) -> None:
    assert_problem(client.generic("DELETE", LIST, content, content_type=JSON), 422)


def test_a_missing_field_is_named(client: Client) -> None:
    body = assert_problem(client.generic("DELETE", LIST, b"{}", content_type=JSON), 422)
    assert body["errors"] == ["simulation_ids: Field required"]


def test_an_unexpected_failure_is_logged_under_the_id_that_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(selectors, "queue_counts", fail)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/queue/status")
    body = assert_problem(answer, 500)
    assert b"canary" not in answer.content
    assert answer["X-Request-ID"] == body["request_id"]
    [entry] = [one for one in caplog.records if body["request_id"] in one.getMessage()]
    assert entry.exc_info is not None and "canary" in str(entry.exc_info[1])


@pytest.mark.parametrize("debug", [False, True])
def test_a_failing_page_shows_the_id_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug

    def fail(filters: Any) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(selectors, "count", fail)
    client = Client(raise_request_exception=False)
    assert_problem(client.get("/api/simulations"), 500)
    page = client.get("/simulations/", headers={"accept": "text/html"})
    assert page.status_code == 500
    if not debug:
        assert page["X-Request-ID"] in page.content.decode()
        assert "canary" not in page.content.decode()


def test_a_busy_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(selectors, "queue_counts", fail)
    answer = client.get("/api/queue/status")
    assert_problem(answer, 503)
    assert answer["Retry-After"] == "2"


@pytest.mark.parametrize("debug", [False, True])
def test_a_foreign_host_is_400(client: Client, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    assert_problem(client.get("/api/health", headers={"host": "evil.example"}), 400)


@pytest.mark.parametrize("path", ["/nothing", "/simulations/unknown/", "/simulations/a.b/"])
def test_browsers_get_a_page(client: Client, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert b"<h1>Not Found</h1>" in answer.content


def test_a_form_without_token_is_403() -> None:
    client = Client(enforce_csrf_checks=True)
    assert_problem(client.post("/simulations/x/stop/"), 403)
    page = client.post("/simulations/x/stop/", headers={"accept": "text/html"})
    assert page.status_code == 403
    assert b"<h1>Forbidden</h1>" in page.content
