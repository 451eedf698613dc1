"""Debian's Chromium, driven by Playwright, on a real server with real runs."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from intellifl import assets
from tests.browser import service as services
from tests.browser.service import Service
from tests.servers import eventually

CHROMIUM = shutil.which("chromium")
DESKTOP = {"width": 1280, "height": 900}
WAIT_MS = 20_000
COLORS = 96
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for one module: Playwright's loop bars Django's database."""
    if CHROMIUM is None:
        pytest.fail("there is no chromium; `apt-get install chromium` installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a server with its queue, which all tests of this folder share."""
    if assets.missing():
        assets.fetch()
    with services.running(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def finished(service: Service) -> list[str]:
    """Return two runs that are over: the same but for their seed."""
    runs = [service.submit(display_name=f"Krum, seed {seed}", seed=seed) for seed in (1, 2)]
    for run in runs:
        service.wait(run)
    return runs


@pytest.fixture
def open_context(
    browser: Browser, service: Service
) -> Iterator[Callable[..., tuple[BrowserContext, Page]]]:
    """Return what opens a window; nothing may go wrong in it, and all it loads is the server's.

    `expects` are statuses of failures that are meant to be seen.
    """
    complaints: list[str] = []
    requests: list[str] = []
    contexts: list[BrowserContext] = []

    def open_window(*expects: int, **options: Any) -> tuple[BrowserContext, Page]:
        context = browser.new_context(base_url=service.origin, **{"viewport": DESKTOP, **options})
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: _note(told, complaints, expects))
        page.on("request", lambda request: requests.append(request.url))
        return context, page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []
    own = urlsplit(service.origin).netloc
    foreign = [url for url in requests if urlsplit(url).netloc not in ("", own)]
    assert foreign == []


@pytest.fixture
def page(open_context: Callable[..., tuple[BrowserContext, Page]]) -> Page:
    return open_context()[1]


@pytest.fixture
def signed_in(page: Page) -> Page:
    """Return a window in which a member of staff is signed in."""
    sign_in(page)
    return page


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of axe-core, of the locked version."""
    (path,) = assets.fetch(tmp_path_factory.mktemp("axe"), assets.TOOLS)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def findings(axe: str) -> Callable[[Page], list[str]]:
    """Return what lists the serious and critical findings of axe-core on a page."""

    def find(page: Page) -> list[str]:
        # Through the debugger, which a page's policy does not bind.
        page.evaluate(axe)
        told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in told["violations"]
            if found["impact"] in SERIOUS
            for node in found["nodes"]
        ]

    return find


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Return what keeps a screenshot for docs/, when `--screenshots FOLDER` is given."""
    folder = request.config.getoption("--screenshots")

    def take(page: Page, name: str) -> None:
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        # A few colours show a page as well, in a third of the bytes.
        drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        drawn.quantize(COLORS).save(Path(folder) / f"{name}.png", optimize=True)

    return take


def sign_in(page: Page) -> None:
    page.goto("/login/?next=/simulations/")
    page.fill("input[name=username]", services.NAME)
    page.fill("input[name=password]", services.PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/simulations/")


def until(page: Page, expression: str, within_s: float = 60.0) -> None:
    """Wait until a JavaScript expression holds; a page's policy forbids Playwright's own way."""
    eventually(lambda: page.evaluate(expression), within_s)


def _note(told: Any, complaints: list[str], expects: Sequence[int]) -> None:
    is_expected = any(f"status of {status}" in told.text for status in expects)
    if told.type in ("error", "warning") and not is_expected:
        complaints.append(json.dumps([told.type, told.text, told.location]))
