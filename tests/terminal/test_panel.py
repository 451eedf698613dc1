"""The panel: to whom it is offered, and that it works in a real browser under our policy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

from intellifl import assets
from terminal import permissions
from tests import browsing
from tests.terminal.live import Live, Sender, running

LOOPBACK: Sender = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


PAGES = ["/simulations/", "/simulations/unknown/"]


@pytest.mark.parametrize("path", PAGES)
def test_only_staff_is_offered_a_panel(staff: User, client: Client, path: str) -> None:
    def offers() -> bool:
        answer = client.get(path, headers={"accept": "text/html"}, **LOOPBACK)
        return b'id="terminal"' in answer.content

    found = path == "/simulations/"
    assert not offers()
    client.force_login(User.objects.create_user("bob"))
    assert not offers()
    client.force_login(staff)
    assert offers() == found, "pages that tell of errors have none"


def test_beyond_loopback_no_panel_is_offered(staff: User, client: Client, settings: Any) -> None:
    client.force_login(staff)
    page = client.get("/simulations/", REMOTE_ADDR="10.0.0.7", HTTP_HOST=LOOPBACK["HTTP_HOST"])
    assert b'id="terminal"' not in page.content
    settings.TERMINAL = "on"
    page = client.get("/simulations/", REMOTE_ADDR="10.0.0.7", HTTP_HOST=LOOPBACK["HTTP_HOST"])
    assert b'id="terminal"' in page.content


def test_without_scripts_the_panel_is_not_seen(staff: User, client: Client) -> None:
    client.force_login(staff)
    text = client.get("/simulations/", **LOOPBACK).content.decode()
    for tag in ('<section id="terminal"', '<button type="button" id="terminal-launcher"'):
        element = text[text.index(tag) :].partition(">")[0]
        assert element.split()[-1] == "hidden" or " hidden" in element
    assert "<script>" not in text and " style=" not in text and " onclick=" not in text


def test_a_page_for_nobody_asks_the_database_nothing_more(
    client: Client, db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert not permissions.may_open(client.get("/docs", **LOOPBACK).wsgi_request)


ROWS = "(document.querySelector('.xterm-rows')?.innerText ?? '')"
STATE = "document.getElementById('terminal-state').textContent"


class Desk:
    """A browser in which a member of staff is signed in, and the server."""

    def __init__(self, page: Page, live: Live) -> None:
        self.page = page
        self.live = live

    def open(self, path: str = "/simulations/") -> None:
        self.page.goto(path)

    def wait(self, script: str) -> None:
        browsing.until(self.page, script)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def wait_for_text(self, text: str) -> None:
        self.wait(f"{ROWS}.includes({text!r})")

    def wait_for_state(self, text: str) -> None:
        self.wait(f"{STATE}.includes({text!r})")

    def start(self) -> None:
        self.open()
        self.page.click("#terminal-launcher")
        self.wait_for_state("Connected.")
        self.wait(f"{ROWS}.trim().length > 0")


@pytest.fixture
def desk(shared_database: None, cookie: str, tmp_path: Path) -> Iterator[Desk]:
    if assets.missing():
        assets.fetch()
    name, _, value = cookie.partition("=")
    with (
        running("daphne", tmp_path) as live,
        browsing.chromium() as browser,
        browsing.window(browser, live.origin) as page,
    ):
        page.context.add_cookies([{"name": name, "value": value, "url": live.origin}])
        yield Desk(page, live)


@pytest.mark.slow
def test_the_panel_types_prints_and_comes_back_on_the_next_page(desk: Desk) -> None:
    desk.start()
    desk.type("printf '\\e[38;2;200;30;90mgrüße <b>%s</b>\\e[0m\\n' $((6*7))\n")
    desk.wait_for_text("grüße <b>42</b>")
    colored = "[...document.querySelectorAll('.xterm-rows span')].filter(e => e.style.color).length"
    assert desk.page.evaluate(colored) >= 1, "24-bit colours need styles"
    assert desk.page.evaluate("document.querySelectorAll('.xterm-rows b').length") == 0

    desk.open("/simulations/?status=failed")
    desk.wait_for_text("grüße <b>42</b>")
    desk.wait("document.activeElement.classList.contains('xterm-helper-textarea')")
    desk.type("echo sa''me $SHLVL\n")
    desk.wait_for_text("same 1")
    assert desk.live.said("opened by") == 1 and desk.live.said("resumed by") == 1

    desk.page.keyboard.press("Control+Backquote")
    desk.wait("document.getElementById('terminal').hidden")
    assert desk.page.evaluate("document.activeElement.id") == "terminal-launcher"
    desk.open()
    assert desk.page.evaluate("document.getElementById('terminal').hidden")


@pytest.mark.slow
def test_the_panel_can_be_made_higher_and_the_shell_knows(desk: Desk) -> None:
    desk.start()
    desk.type("stty size\n")
    desk.wait(f"/^[0-9]+ [0-9]+$/m.test({ROWS})")
    height = "document.getElementById('terminal').offsetHeight"
    before = desk.page.evaluate(height)
    y = desk.page.evaluate("document.querySelector('.terminal-edge').getBoundingClientRect().y") + 3
    desk.page.mouse.move(300, y)
    desk.page.mouse.down()
    desk.page.mouse.move(300, y - 160)
    desk.page.mouse.up()
    assert desk.page.evaluate(height) == pytest.approx(before + 160, abs=8)
    desk.page.evaluate("document.querySelector('.terminal-edge').focus()")
    desk.page.keyboard.press("ArrowUp")
    higher = desk.page.evaluate(height)
    assert higher == pytest.approx(before + 184, abs=8)
    # The terminal fits itself to the panel in the next frame.
    time.sleep(0.5)
    rows = desk.page.evaluate("document.querySelectorAll('.xterm-rows > div').length")
    desk.page.click("#terminal-screen")
    desk.type("clear; stty size\n")
    desk.wait(f"{ROWS}.match(/^([0-9]+) [0-9]+$/m)?.[1] === '{rows}'")
    desk.open()
    desk.wait(f"{height} === {higher}")


@pytest.mark.slow
def test_much_output_is_shown_and_can_be_interrupted(desk: Desk) -> None:
    desk.start()
    desk.type("seq 300000; echo fi''n\n")
    desk.wait(f"{ROWS}.includes('fin')")
    desk.type("yes\n")
    time.sleep(1)
    desk.page.keyboard.press("Control+c")
    desk.wait_for_text("^C")
    desk.type("echo al''ive\n")
    desk.wait_for_text("alive")
    assert desk.live.memory_mb() < 200


@pytest.mark.slow
def test_the_panel_tells_of_the_end_and_starts_anew(desk: Desk) -> None:
    desk.start()
    desk.type("exit\n")
    desk.wait_for_state("The shell has ended.")
    desk.page.click("#terminal-restart")
    desk.wait_for_state("Connected.")
    desk.type("echo a''gain\n")
    desk.wait_for_text("again")
    desk.page.click("#terminal-restart")
    desk.wait_for_state("Connected.")
    assert "again" not in desk.page.evaluate(ROWS)
    desk.type("echo th''ird\n")
    desk.wait_for_text("third")
    assert desk.live.said("closed by its user") == 1
    assert desk.live.said("opened by") == 3
