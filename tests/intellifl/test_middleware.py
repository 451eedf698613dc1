"""Request ids, slashes, HEAD, foreign pages, logins and headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from simulations.models import Simulation

LIST = "/api/simulations"
FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
pytestmark = pytest.mark.django_db


def submit(client: Client, content_type: str = "application/json", **headers: str) -> Any:
    return client.generic(
        "POST", LIST, json.dumps(FLAT), content_type=content_type, headers=headers
    )


def test_each_answer_has_an_id_of_its_own(client: Client) -> None:
    first, second = client.get("/api/health"), client.get("/api/health")
    assert len(first["X-Request-ID"]) == 32
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False)])
def test_a_well_formed_id_of_the_client_is_kept(client: Client, given: str, kept: bool) -> None:
    answer = client.get("/api/health", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is kept


def test_a_trailing_slash_is_accepted_for_every_method(client: Client) -> None:
    created = client.generic("POST", f"{LIST}/", json.dumps(FLAT), content_type="application/json")
    assert created.status_code == 201
    url = created["Location"]
    assert client.get(f"{url}/").status_code == 200
    renamed = client.patch(f"{url}/rename/", {"display_name": "A"}, content_type="application/json")
    assert renamed.status_code == 200
    assert client.post(f"{url}/stop/").status_code == 200
    assert client.delete(f"{url}/").status_code == 200
    for path in ("/docs/", "/redoc/", "/openapi.json/", "/simulations/", "/simulations"):
        assert client.get(path, follow=True).status_code == 200


def test_head_is_get_without_a_body(client: Client) -> None:
    answer = client.head(LIST)
    assert answer.status_code == 200
    assert answer["X-Total-Count"] == "0"
    assert client.head("/api/simulations/unknown").status_code == 404


def test_an_unchanged_answer_is_not_sent_again(client: Client) -> None:
    etag = client.get(LIST)["ETag"]
    assert client.get(LIST, headers={"If-None-Match": etag}).status_code == 304
    submit(client)
    assert client.get(LIST, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver"},
        {"Origin": "http://testserver:80"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_own_pages_and_programs_may_submit(client: Client, headers: dict[str, str]) -> None:
    assert submit(client, **headers).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://testserver:8001"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://evil.example@testserver"},
        {"Origin": "http://testserver/path"},
        {"Origin": "http://testserver:x"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_other_pages_may_not_submit(
    client: Client, headers: dict[str, str], content_type: str
) -> None:
    answer = submit(client, content_type, **headers)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert not Simulation.objects.exists()


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT", "POST"])
@pytest.mark.parametrize("path", [LIST, f"{LIST}/x", "/simulations/x/stop/", "/login/"])
def test_other_pages_may_send_nothing_unsafe(client: Client, method: str, path: str) -> None:
    assert client.generic(method, path, headers={"Origin": "null"}).status_code == 403


def test_without_a_demanded_login_everything_is_open(client: Client) -> None:
    for path in ("/", LIST, "/simulations/", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200


CLOSED = [LIST, f"{LIST}/x", "/api/queue/status", "/api/system/devices", "/openapi.json"]


@pytest.mark.parametrize("path", CLOSED)
def test_a_demanded_login_closes_the_api(client: Client, settings: Any, path: str) -> None:
    settings.REQUIRE_AUTH = True
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" in answer.headers
    assert submit(client).status_code == 401
    assert not Simulation.objects.exists()


@pytest.mark.parametrize("path", ["/simulations/", "/simulations/x/", "/docs", "/redoc"])
def test_a_demanded_login_sends_browsers_to_the_form(
    client: Client, settings: Any, path: str
) -> None:
    settings.REQUIRE_AUTH = True
    answer = client.get(path, headers={"accept": BROWSER})
    assert answer.status_code == 302
    assert answer["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize(
    "path", ["/", "/api/health", "/api/health/", "/login/", "/static/simulations/style.css"]
)
def test_a_demanded_login_leaves_these_open(client: Client, settings: Any, path: str) -> None:
    settings.REQUIRE_AUTH = True
    assert client.get(path).status_code == 200


def test_a_signed_in_session_may_do_everything(client: Client, settings: Any) -> None:
    settings.REQUIRE_AUTH = True
    client.force_login(User.objects.create_user("ada"))
    assert submit(client).status_code == 201
    assert client.get("/simulations/").status_code == 200


def test_answers_of_the_api_are_asked_for_again(client: Client) -> None:
    assert client.get("/api/health")["Cache-Control"] == "no-cache"
