"""What every answer tells browsers, and what a proxy with TLS changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TLS = {"X-Forwarded-Proto": "https"}
STATUS = {
    "/": 302,
    "/simulations/": 200,
    "/docs": 200,
    "/redoc": 200,
    "/login/": 200,
    "/admin/": 200,
    "/admin/simulations/simulation/": 200,
    "/account/": 200,
    "/api/simulations": 200,
    "/query/simulations.csv": 200,
    "/static/simulations/style.css": 200,
    "/nothing": 404,
    "/api/nothing": 404,
    "/static/nothing.js": 404,
    "/admin/nothing/": 404,
}
DOCUMENTATION = ("/docs", "/redoc")
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


def directives(policy: str) -> dict[str, list[str]]:
    parts = [one.split() for one in policy.split(";")]
    return {name: sources for name, *sources in parts}


def assert_is_careful(answer: Any, path: str) -> None:
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer
    assert "Strict-Transport-Security" not in answer
    policy = directives(answer["Content-Security-Policy"])
    scripts = policy.get("script-src", policy["default-src"])
    assert scripts == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    inline_styles = ["'self'", "'unsafe-inline'"] if path in DOCUMENTATION else None
    assert policy.get("style-src") == inline_styles


@pytest.mark.parametrize(("path", "status"), STATUS.items())
def test_every_answer_tells_browsers_to_be_careful(ada: Client, path: str, status: int) -> None:
    answer = ada.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert_is_careful(answer, path)


def test_refusals_and_failures_are_as_careful(client: Client, monkeypatch: Any) -> None:
    foreign = client.post("/api/simulations", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert_is_careful(foreign, "")
    host = client.get("/simulations/", headers={"Host": "evil.example"})
    assert host.status_code == 400
    assert_is_careful(host, "")
    client.raise_request_exception = False
    monkeypatch.setattr("simulations.selectors.listing", lambda filters: 1 / 0)
    failed = client.get("/simulations/", headers=BROWSER)
    assert failed.status_code == 500
    assert_is_careful(failed, "")


@pytest.mark.parametrize("path", [path for path, status in STATUS.items() if status == 200])
def test_no_page_needs_an_inline_script(ada: Client, path: str) -> None:
    text = ada.get(path, headers=BROWSER).content.decode() if path[:7] != "/query/" else ""
    for attributes in re.findall(r"<script\b([^>]*)>", text):
        assert "src=" in attributes or 'type="application/json"' in attributes
    assert not re.search(r"<[^>]+\son\w+=", text)


def sent_cookies(client: Client) -> dict[str, Any]:
    User.objects.create_user("ada", password="a long sentence")
    client.get("/login/", headers=TLS)
    form = {"username": "ada", "password": "a long sentence"}
    client.post("/login/", form, headers=TLS, secure=False)
    return dict(client.cookies)


@pytest.mark.parametrize("is_behind", [False, True])
def test_cookies_are_bound_to_this_site_and_to_tls_behind_a_proxy(
    client: Client, settings: Any, is_behind: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = is_behind
    cookies = sent_cookies(client)
    assert cookies["sessionid"]["httponly"]
    for name in ("sessionid", "csrftoken"):
        assert cookies[name]["samesite"] == "Lax"
        assert bool(cookies[name]["secure"]) is is_behind


def test_strict_transport_security_is_sent_only_when_told_and_over_tls(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 3600
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert "Strict-Transport-Security" not in Client().get("/api/health")
    answer = Client().get("/api/health", headers=TLS)
    assert answer["Strict-Transport-Security"] == "max-age=3600"


def test_the_scheme_is_taken_from_the_header_only_behind_the_proxy(settings: Any) -> None:
    request = HttpRequest()
    request.META["HTTP_X_FORWARDED_PROTO"] = "https"
    assert request.scheme == "http"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert request.scheme == "https"


@pytest.mark.parametrize(
    ("origin", "status"), [("https://testserver", 302), ("http://testserver", 403)]
)
def test_behind_the_proxy_pages_come_from_its_origin(
    settings: Any, origin: str, status: int
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"Origin": origin, "Host": "testserver", **TLS}
    answer = Client().post("/account/", headers=headers)
    assert answer.status_code == status
