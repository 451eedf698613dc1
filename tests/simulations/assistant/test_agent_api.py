"""The contract of POST /api/agent/chat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr

from simulations.models import RunEvent, Simulation, StrategyRun
from tests.simulations.assistant.llm_server import calls, serving, status, text

URL = "/api/agent/chat"
KEY = "sk-canary-0123456789"
pytestmark = pytest.mark.django_db


def post(client: Client, body: Any, **headers: str) -> Any:
    return client.post(URL, body, content_type="application/json", headers=headers)


@pytest.fixture
def connect(settings: Any) -> Callable[[str], None]:
    def connect(url: str) -> None:
        changed = {"llm_base_url": url, "llm_model": "tiny", "llm_api_key": SecretStr(KEY)}
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changed)

    return connect


def test_without_a_model_the_rules_answer(client: Client, removal: StrategyRun) -> None:
    answer = post(client, {"message": "why was client 4 removed in Removal?"})
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"message", "html", "engine", "tools", "proposal"}
    assert told["engine"] == "rules" and told["proposal"] is None
    assert "Krum score was 50" in told["message"] and told["html"].startswith("<p>")
    assert told["tools"][0]["tool"] == "explain_client"


def test_the_references_shape_of_messages_is_read(client: Client, removal: StrategyRun) -> None:
    said = [{"type": "text", "text": "explain"}, {"type": "text", "text": "krum"}]
    told = post(client, {"messages": [{"role": "user", "content": said}]}).json()
    assert told["message"].startswith("**krum** (strategy)")


def test_it_means_the_given_simulation(client: Client, removal: StrategyRun) -> None:
    about = removal.simulation.simulation_id
    told = post(client, {"message": "how far is it?", "simulation_id": about}).json()
    assert about in told["message"]


def test_a_draft_is_proposed_and_can_be_submitted(client: Client) -> None:
    told = post(client, {"message": "draft a config for rfa on digits"}).json()
    assert not Simulation.objects.exists()
    created = client.post("/api/simulations", told["proposal"], content_type="application/json")
    assert created.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "x" * 8001},
        {"message": 7},
        {"message": "x", "messages": [{"role": "user", "content": "y"}]},
        {"messages": []},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "text": "x"}]}]},
        {"messages": [{"role": "user", "content": "x"}] * 101},
        {"message": "x", "simulation_id": "../x"},
        [],
    ],
)
def test_wrong_questions_are_problems(client: Client, body: Any) -> None:
    answer = post(client, body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_another_web_page_may_not_ask(client: Client) -> None:
    assert post(client, {"message": "list"}, origin="http://evil.example").status_code == 403
    assert client.get(URL).status_code == 405


def test_a_failing_model_is_an_error_that_offers_the_rules_answer(
    client: Client, removal: StrategyRun, connect: Callable[[str], None]
) -> None:
    with serving(status(401)) as server:
        connect(server.url)
        answer = post(client, {"message": "explain krum"})
    assert answer.status_code == 502
    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert "refused the key" in told["detail"] and KEY not in answer.content.decode()
    assert told["answer"]["engine"] == "rules"
    assert told["answer"]["message"].startswith("**krum** (strategy)")


def test_the_model_gets_what_was_said_before(
    client: Client, connect: Callable[[str], None]
) -> None:
    with serving(text("**Yes**")) as server:
        connect(server.url)
        history = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]
        told = post(client, {"message": "C", "history": history * 20}).json()
    assert told["engine"] == "model" and told["html"] == "<p><strong>Yes</strong></p>\n"
    sent = [message["content"] for message in server.requests[0]["messages"][1:]]
    assert sent == ["A", "B"] * 5 + ["C"]


def test_no_question_changes_rows_or_files(
    client: Client, removal: StrategyRun, out_dir: Path, connect: Callable[[str], None]
) -> None:
    def world() -> Any:
        rows = [list(kind.objects.values()) for kind in (Simulation, StrategyRun, RunEvent)]
        return rows, {path: path.stat().st_mtime_ns for path in out_dir.rglob("*")}

    before = world()
    for question in ("delete Removal", "stop it", "run krum on digits", "status", "log of Removal"):
        assert post(client, {"message": question}).status_code == 200
    everything = [
        ("get_simulation", {"simulation": "Removal"}),
        ("delete_simulation", {}),
        ("draft_config", {"strategies": ["krum"]}),
        ("read_log", {"simulation": "latest"}),
    ]
    for tool in everything:
        with serving(calls(tool), text("done")) as server:
            connect(server.url)
            assert post(client, {"message": "do it"}).status_code in (200, 502)
    assert world() == before
