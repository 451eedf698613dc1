"""The assistant in real processes: what is loaded when, and a model under the real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from intellifl.environment import ROOT
from tests import browsing
from tests.simulations.assistant.llm_server import LlmServer, calls, serving, text
from tests.web_server import WebServer

ASK = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "intellifl.settings"
import intellifl.asgi
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS = ["testserver"]
client = Client()
answer = client.post("/api/agent/chat", {"message": "status"}, content_type="application/json")
library = [name for name in ("pydantic_ai", "openai", "httpx2") if name in sys.modules]
print(answer.status_code, answer.json()["engine"], ",".join(library))
"""


def in_a_process(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_the_models_library_is_loaded_only_to_ask_a_model(shared_database: None) -> None:
    assert in_a_process() == "200 rules "
    with serving(text("ok")) as server:
        told = in_a_process(INTELLIFL_LLM_BASE_URL=server.url, INTELLIFL_LLM_MODEL="tiny")
    assert told == "200 model pydantic_ai,openai,httpx2"


@pytest.mark.slow
def test_an_endpoint_without_a_model_is_refused_at_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "INTELLIFL_LLM_BASE_URL": "http://127.0.0.1:1/v1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "INTELLIFL_LLM_MODEL: " in done.stderr


@pytest.fixture
def served(shared_database: None, tmp_path: Path) -> Iterator[tuple[WebServer, LlmServer]]:
    """A server of our application with a model that asks two tools, then answers."""
    asked = calls(("queue_status", {}), ("list_simulations", {}))
    with serving(asked, text("**Nothing** runs.")) as model:
        connected = {"INTELLIFL_LLM_BASE_URL": model.url, "INTELLIFL_LLM_MODEL": "tiny"}
        server = WebServer(tmp_path / "log", **connected)
        try:
            yield server, model
        finally:
            server.stop()


@pytest.mark.slow
def test_a_model_answers_under_the_real_server(served: tuple[WebServer, LlmServer]) -> None:
    server, model = served
    told = server.ask("POST", "/api/agent/chat", {"message": "what runs?"}).json
    assert (told["engine"], told["message"]) == ("model", "**Nothing** runs.")
    assert [one["tool"] for one in told["tools"]] == ["queue_status", "list_simulations"]
    results = [m["content"] for m in model.requests[1]["messages"] if m["role"] == "tool"]
    assert '"counts"' in results[0] and '"total":0' in results[1]


LOG = "(document.querySelector('#assistant .assistant-log')?.innerText ?? '')"
FOCUS = "document.activeElement.id"


@pytest.mark.slow
def test_the_panel_works_in_a_browser(served: tuple[WebServer, LlmServer]) -> None:
    server, _ = served
    with (
        browsing.chromium() as browser,
        browsing.window(browser, server.origin, viewport={"width": 390, "height": 800}) as page,
    ):
        page.goto("/simulations/")
        page.click("#assistant-launcher")
        browsing.until(page, f"{FOCUS} === 'assistant-message'")
        page.keyboard.type("what runs?\n")
        browsing.until(page, f"{LOG}.includes('Nothing runs.')")
        assert page.locator("#assistant article strong").inner_text()
        browsing.until(page, f"{FOCUS} === 'assistant-message'")
        page.goto("/queue/")
        browsing.until(page, f"{LOG}.includes('Nothing runs.')")
        page.locator("#assistant-message").focus()
        page.keyboard.press("Escape")
        browsing.until(
            page, f"document.getElementById('assistant').hidden && {FOCUS} === 'assistant-launcher'"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
