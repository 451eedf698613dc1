"""Debian's Chromium, driven by Playwright, with windows in which nothing may go wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import eventually

CHROMIUM = shutil.which("chromium")
DESKTOP = {"width": 1280, "height": 900}
WAIT_MS = 20_000
Open = Callable[..., Page]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; while it runs, Playwright's loop bars Django's database."""
    if CHROMIUM is None:
        pytest.fail("there is no chromium; `apt-get install chromium` installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def window(browser: Browser, origin: str, *expects: int, **options: Any) -> Iterator[Page]:
    """Open a window; when it closes, nothing may have gone wrong, and all it loaded is of `origin`.

    `expects` are statuses of failures that are meant to be seen.
    """
    complaints: list[str] = []
    requests: list[str] = []
    context = browser.new_context(base_url=origin, **{"viewport": DESKTOP, **options})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: _note(told, complaints, expects))
    page.on("request", lambda request: requests.append(request.url))
    try:
        yield page
    finally:
        context.close()
    assert complaints == []
    own = urlsplit(origin).netloc
    assert [url for url in requests if urlsplit(url).netloc not in ("", own)] == []


def until(page: Page, expression: str, within_s: float = 60.0) -> None:
    """Wait until a JavaScript expression holds; a page's policy forbids Playwright's own way."""
    eventually(lambda: page.evaluate(expression), within_s)


def _note(told: Any, complaints: list[str], expects: Sequence[int]) -> None:
    is_expected = any(f"status of {status}" in told.text for status in expects)
    if told.type in ("error", "warning") and not is_expected:
        complaints.append(json.dumps([told.type, told.text, told.location]))
