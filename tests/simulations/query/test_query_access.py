"""Who may read: as under /api, nobody without a session or a token once a login is demanded."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from intellifl.access import tokens
from simulations.models import Simulation
from tests.simulations.query.asking import Ask

PATHS = ["", "simulations/", "rounds.csv", "events.json", "rounds/1/", "schema", "nothing"]
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def closed(settings: Any) -> None:
    settings.REQUIRE_AUTH = True


@pytest.mark.parametrize("path", PATHS)
def test_a_demanded_login_closes_it(
    ask: Ask, recorded: list[Simulation], closed: None, path: str
) -> None:
    answer = ask(path)
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert recorded[0].simulation_id not in answer.text
    sent = ask(path, headers={"accept": BROWSER})
    assert sent.status == 302
    assert sent.headers["Location"].startswith("/login/?next=/query/")


def test_a_token_opens_pages_and_files(ask: Ask, recorded: list[Simulation], closed: None) -> None:
    ada = User.objects.create_user("ada")
    headers = {"Authorization": f"Bearer {tokens.create('notebook', ada)}"}
    assert len(ask("rounds.csv", headers=headers).rows()) == 9
    assert ask("simulations/", headers=headers).status == 200
    assert ask("simulations/", headers={**headers, "accept": BROWSER}).status == 200
    assert ask("rounds.csv", headers={"Authorization": "Bearer x"}).status == 401


def test_a_session_opens_it(recorded: list[Simulation], closed: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    assert client.get("/query/simulations/").status_code == 200


def test_answers_are_asked_for_again_and_never_sniffed(
    ask: Ask, recorded: list[Simulation]
) -> None:
    for path in ("simulations/", "rounds.csv", ""):
        headers = ask(path).headers
        assert headers["Cache-Control"] == "no-cache"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_other_web_pages_may_send_nothing(ask: Ask) -> None:
    headers = {"Origin": "https://evil.example"}
    assert ask("rounds/", "post", headers=headers).status == 403
