"""Each page in both themes, on a phone and without scripts: readable by all, and nothing broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.service import sign_in
from tests.browsing import Open

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TABS = ("metrics", "clients", "strategies", "attacks", "data", "log", "config", "files")
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
PAGES = {
    "simulations": "/simulations/",
    "new": "/simulations/new/",
    "new-from-example": "/simulations/new/?example=three_rules_under_attack",
    "duplicate": "/simulations/new/?like={0}",
    "compare": "/simulations/compare/?ids={0},{1}",
    **{f"run-{tab}": f"/simulations/{{0}}/?tab={tab}" for tab in TABS},
    "queue": "/queue/",
    "datasets": "/datasets/",
    "system": "/system/",
    "query": "/query/",
    "query-client-rounds": "/query/client-rounds?simulation={0}",
    "assistant": "/assistant/",
    "unknown": "/simulations/nothing/",
}
PICTURED = {
    "light": (
        "simulations",
        "new-from-example",
        "compare",
        "run-metrics",
        "run-clients",
        "run-attacks",
        "run-data",
        "run-log",
        "run-config",
        "run-files",
        "queue",
        "datasets",
        "system",
        "query-client-rounds",
        "assistant",
    ),
    "dark": ("run-strategies",),
}
"""Of which pages docs/ has a picture."""


def address(name: str, finished: list[str]) -> str:
    return PAGES[name].format(*finished)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_finding(
    open_window: Open,
    finished: list[str],
    findings: Callable[[Page], list[str]],
    picture: Callable[[Page, str], None],
    scheme: str,
) -> None:
    page = open_window(404, color_scheme=scheme, reduced_motion="reduce")
    sign_in(page)
    found: dict[str, list[str]] = {}
    for name in PAGES:
        _visit(page, address(name, finished))
        found[name] = findings(page)
        if name in PICTURED.get(scheme, ()):
            picture(page, name if scheme == "light" else f"{name}-dark")
    assert {name: told for name, told in found.items() if told} == {}


def test_nothing_is_wider_than_a_phone(open_window: Open, finished: list[str]) -> None:
    page = open_window(404, **PHONE)
    wide: dict[str, Any] = {}
    for name in PAGES:
        _visit(page, address(name, finished))
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["viewport"]["width"]:  # type: ignore[index]
            wide[name] = width
    assert wide == {}


def test_every_page_reads_without_scripts(open_window: Open, finished: list[str]) -> None:
    page = open_window(404, java_script_enabled=False)
    for name in PAGES:
        _visit(page, address(name, finished))
        assert page.locator("h1").count() == 1, name
        assert page.locator("main").inner_text().strip(), name
    page.goto(address("run-metrics", finished))
    assert page.locator("main svg").count() >= 2, "charts are drawn by the server"


def _visit(page: Page, path: str) -> None:
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    assert answer.status == (404 if path.endswith("/nothing/") else 200), path
