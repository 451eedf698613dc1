"""The page without script, the piece for the panel, and where the panel is offered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from simulations.assistant.conversation import MAX_EXCHANGES
from simulations.models import Simulation, StrategyRun
from tests.servers import refusing

URL = "/assistant/"
pytestmark = pytest.mark.django_db


def ask(client: Client, message: str, **fields: str) -> str:
    answer = client.post(URL, {"message": message, **fields}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_question_is_answered_on_the_page(client: Client, removal: StrategyRun) -> None:
    page = ask(client, "why was client 4 removed in Removal?")
    assert "Krum score was 50" in page and "explain_client" in page
    assert "Answered by fixed rules" in page
    assert "Krum score was 50" in client.get(URL).content.decode()
    assert "Krum score was 50" not in Client().get(URL).content.decode()


def test_a_draft_opens_as_a_new_simulation(client: Client) -> None:
    page = ask(client, "draft a config for rfa on digits")
    found = re.search(r'name="config_json" value="([^"]+)"', page)
    assert found is not None
    config = unescape(found.group(1))
    opened = client.post("/simulations/new/", {"config_json": config, "action": "check"})
    assert "It can run." in opened.content.decode() and not Simulation.objects.exists()
    assert json.loads(config)["aggregation_strategy_keyword"] == "rfa"


def test_the_page_knows_the_simulation_it_was_opened_from(
    client: Client, removal: StrategyRun, submit: Callable[..., Simulation]
) -> None:
    submit(display_name="Newer")
    about = removal.simulation.simulation_id
    page = ask(client, "status of it", about=about)
    assert "Removal" in page and f'name="about" value="{about}"' in page
    detail = client.get(f"/simulations/{about}/").content.decode()
    assert f'href="/assistant/?about={about}"' in detail
    assert 'name="about" value=""' in client.get(URL, {"about": "../x"}).content.decode()


def test_what_people_write_is_inert(client: Client, submit: Callable[..., Simulation]) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    submit(display_name=evil, notes=evil)
    page = ask(client, f"status of latest {evil}") + ask(client, "list") + ask(client, "latest")
    assert "<script>alert" not in page and "<img" not in page
    assert "&lt;script&gt;alert" in page


def test_the_conversation_is_bounded_and_can_be_forgotten(client: Client) -> None:
    for number in range(MAX_EXCHANGES + 3):
        ask(client, f"xyzzy{number}")
    page = client.get(URL).content.decode()
    assert page.count("<article") == MAX_EXCHANGES
    assert "xyzzy0<" not in page and "xyzzy12<" in page
    for _ in range(MAX_EXCHANGES):
        ask(client, "{" + "y" * 8000 + "}")
    assert len(json.dumps(client.session["assistant"])) < 120_000
    client.post(URL, {"forget": "1", "message": "list"})
    assert "<article" not in client.get(URL).content.decode()


def test_the_panel_gets_pieces(client: Client, removal: StrategyRun) -> None:
    assert "<html" not in client.get("/assistant/panel/").content.decode()
    piece = client.post(URL, {"message": "explain krum", "piece": "1"}).content.decode()
    assert piece.strip().startswith("<article") and "<html" not in piece
    assert "krum" in client.get("/assistant/panel/").content.decode()
    assert client.post(URL, {"forget": "1", "piece": "1"}).status_code == 204


def test_a_failing_model_is_told_of_and_the_rules_answer(client: Client, settings: Any) -> None:
    with refusing() as url:
        address = url.replace("redis://", "http://").removesuffix("/0")
        changed = {"llm_base_url": address, "llm_model": "tiny"}
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changed)
        page = ask(client, "explain krum")
    assert "cannot be reached" in page and "The fixed rules answer instead" in page
    assert "By fixed rules" in page and "language model tiny" in page


def test_a_post_needs_the_pages_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(URL, {"message": "list"}).status_code == 403


def test_the_panel_costs_no_query_and_is_on_every_page_but_its_own(
    client: Client, removal: StrategyRun
) -> None:
    about = removal.simulation.simulation_id
    for url in ("/simulations/", f"/simulations/{about}/", "/queue/", "/datasets/", "/system/"):
        assert 'id="assistant-launcher"' in client.get(url).content.decode(), url
    assert 'id="assistant-launcher"' not in client.get(URL).content.decode()
    with CaptureQueriesContext(connection) as queries:
        client.get(URL)
    assert len(queries) <= 2
