"""What people do with the pages, from the first click to what they came for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browsing import Open, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DRAWN = "JSON.parse(document.getElementById('charts-data').textContent)[0]?.rounds.length ?? 0"
LONG_MS = 90_000


def run_of(page: Page) -> str:
    return page.url.split("?")[0].rstrip("/").rsplit("/", 1)[1]


def test_a_run_is_created_watched_and_stopped(page: Page, service: Service) -> None:
    page.goto("/simulations/new/?example=quickstart")
    page.fill("[name=num_of_rounds]", "400")
    page.fill("[name=display_name]", "Watched")
    page.locator("button[name=action][value=run]").first.click()
    expect(page.locator("h1")).to_have_text("Watched")
    page.evaluate("window.isStillHere = true")
    head = page.locator("#run-head")
    expect(head).to_contain_text(re.compile(r"[1-9]\d* of 400"), timeout=LONG_MS)
    expect(page.locator("#charts canvas").first).to_be_visible()
    drawn = page.evaluate(DRAWN)
    until(page, f"({DRAWN}) > {drawn + 1}", LONG_MS / 1000)
    assert page.evaluate("window.isStillHere"), "the page has not been loaded again"
    head.get_by_role("button", name="Stop").click()
    expect(head).to_contain_text(re.compile("stopped", re.IGNORECASE), timeout=LONG_MS)
    assert service.status(run_of(page)) == "stopped"


def test_without_scripts_a_run_is_created_and_stopped(open_window: Open, service: Service) -> None:
    page = open_window(java_script_enabled=False)
    page.goto("/simulations/new/?example=quickstart")
    page.fill("[name=num_of_rounds]", "400")
    page.locator("button[name=action][value=run]").first.click()
    expect(page.locator("h1")).to_have_text("Quickstart")
    page.get_by_role("button", name="Stop").click()
    assert service.status(run_of(page)) in ("stopped", "running")
    service.wait(run_of(page), "stopped")


def test_a_wrong_value_is_told_beside_its_field_and_nothing_is_lost(open_window: Open) -> None:
    page = open_window(422)
    page.goto("/simulations/new/?example=quickstart")
    page.fill("[name=display_name]", "Kept")
    page.fill("[name=learning_rate]", "-1")
    page.locator("form.settings").first.evaluate("form => form.noValidate = true")
    page.locator("button[name=action][value=check]").first.click()
    expect(page.locator("main")).to_contain_text("greater than 0")
    expect(page.locator("[name=display_name]")).to_have_value("Kept")


def test_runs_are_found_chosen_and_compared(page: Page, finished: list[str]) -> None:
    page.goto("/simulations/?search=seed")
    for run in finished:
        page.locator(f"input[name=simulation_id][value='{run}']").check()
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile("/simulations/compare/"))
    main = page.locator("main")
    expect(main).to_contain_text("±")
    expect(main).to_contain_text("seed")
    assert page.locator("main svg path.line").count() >= 2


def test_who_was_removed_and_what_attacks_did_is_shown(page: Page, finished: list[str]) -> None:
    page.goto(f"/simulations/{finished[0]}/?tab=clients")
    attackers = page.locator("main tbody tr", has_text="label_flipping")
    expect(attackers).to_have_count(1)
    page.goto(f"/simulations/{finished[0]}/?tab=attacks")
    image = page.locator("#gallery img").first
    image.scroll_into_view_if_needed()
    until(page, "document.querySelector('#gallery img').naturalWidth > 0")
    page.locator("#gallery a.zoom").first.click()
    expect(page.locator("dialog[open] img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_log_is_searched_and_the_configuration_compared(
    page: Page, finished: list[str]
) -> None:
    page.goto(f"/simulations/{finished[0]}/?tab=log")
    expect(page.locator("main")).to_contain_text("round 4")
    page.goto(f"/simulations/{finished[0]}/?tab=config")
    expect(page.locator("main")).to_contain_text("aggregation_strategy_keyword")
    page.goto(f"/simulations/{finished[0]}/?tab=files")
    with page.expect_download() as download:
        page.locator("a[href$='files.zip']").first.click()
    assert download.value.path().stat().st_size > 10_000


def test_a_run_is_named_tagged_and_found_by_its_tag(page: Page, service: Service) -> None:
    run = service.submit(num_of_rounds=3)
    service.wait(run)
    page.goto(f"/simulations/{run}/")
    page.locator(
        "main summary", has_text=re.compile("name|label|tags", re.IGNORECASE)
    ).first.click()
    page.fill("[name=display_name]", "Renamed & tagged")
    page.fill("[name=tags]", "ablation")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Renamed & tagged")
    page.goto("/simulations/?tag=ablation")
    expect(page.locator("main tbody tr")).to_have_count(1)


def test_the_assistant_answers_and_drafts(page: Page, finished: list[str]) -> None:
    page.goto(f"/simulations/{finished[0]}/")
    page.locator("#assistant-launcher").click()
    panel = page.locator("#assistant")
    panel.locator("textarea").fill("why was client 1 removed?")
    panel.locator("textarea").press("Enter")
    expect(panel.locator(".assistant-answer").last).to_contain_text("client 1", ignore_case=True)
    panel.locator("textarea").fill("draft a config for trimmed_mean with 12 clients")
    panel.locator("textarea").press("Enter")
    panel.get_by_role("button", name="Open as new simulation").click()
    expect(page).to_have_url(re.compile("/simulations/new/"))
    expect(page.locator("main")).to_contain_text("It can run.")


def test_the_terminal_echoes_and_follows_its_size(
    signed_in: Page, picture: Callable[[Page, str], None]
) -> None:
    page = signed_in
    page.locator("#terminal-launcher").click()
    expect(page.locator("#terminal-state")).to_contain_text("Connected.")
    until(page, "document.querySelector('.xterm-rows').innerText.trim().length > 0")
    # The prompt tells where on this machine it is; a picture need not.
    page.keyboard.type("PS1='$ '; clear\n")
    page.keyboard.type("echo $((6 * 7)) is the answer\n")
    expect(page.locator(".xterm-rows")).to_contain_text("42 is the answer")
    before = _columns(page, "before")
    picture(page, "terminal")
    page.set_viewport_size({"width": 800, "height": 700})
    page.wait_for_timeout(500)
    assert _columns(page, "after") < before
    page.locator("#terminal-hide").click()
    expect(page.locator("#terminal")).to_be_hidden()


def _columns(page: Page, mark: str) -> int:
    page.keyboard.type(f'echo "{mark}: $(stty size)"\n')
    told = re.compile(rf"{mark}: \d+ (\d+)")
    expect(page.locator(".xterm-rows")).to_contain_text(told)
    found = told.search(page.locator(".xterm-rows").inner_text())
    assert found is not None
    return int(found[1])
