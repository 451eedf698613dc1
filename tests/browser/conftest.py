"""Windows of a real browser on a real server with real runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from intellifl import assets
from tests import browsing
from tests.browser import service as services
from tests.browser.service import Service, sign_in
from tests.browsing import Open

COLORS = 96
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as started:
        yield started


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
def open_window(browser: Browser, service: Service) -> Iterator[Open]:
    """Return what opens a window, given statuses that are meant to be seen and its options."""
    with ExitStack() as windows:
        yield lambda *expects, **options: windows.enter_context(
            browsing.window(browser, service.origin, *expects, **options)
        )


@pytest.fixture
def page(open_window: Open) -> Page:
    return open_window()


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
