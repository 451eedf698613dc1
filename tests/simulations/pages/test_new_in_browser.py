"""The form of a new simulation in a real Chromium, on a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import browsing
from tests.terminal.live import Live, running, variables

ROOT = Path(__file__).parents[3]
KEYWORD = "aggregation_strategy_keyword"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Return a server with a database of its own, because Playwright's loop bars Django's."""
    folder = tmp_path_factory.mktemp("new")
    environment = variables(f"sqlite:///{folder / 'db.sqlite3'}", folder)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **environment}, check=True)
    with running("daphne", folder, **environment) as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as started:
        yield started


@pytest.fixture
def page(server: Live, browser: Browser) -> Iterator[Page]:
    with browsing.window(browser, server.origin, 422) as opened:
        yield opened


def field(page: Page, path: str) -> Locator:
    return page.locator(f'[name="{path}"]')


def errors_of(page: Page, path: str) -> Locator:
    return page.locator(f'[id="{path}-errors"]')


def written(page: Page) -> Any:
    return json.loads(page.locator("#config_json").input_value())


def test_only_what_the_strategy_uses_is_shown(page: Page) -> None:
    page.goto("/simulations/new/")
    field(page, KEYWORD).select_option("trust")
    expect(field(page, "trust_threshold")).to_be_visible()
    expect(field(page, "Kp")).to_be_hidden()
    field(page, "trust_threshold").fill("0.4")
    field(page, KEYWORD).focus()
    field(page, KEYWORD).select_option("pid")
    expect(field(page, "Kp")).to_be_visible()
    expect(field(page, "trust_threshold")).to_have_value("0.4")
    remark = page.locator('[id="trust_threshold-help"]')
    expect(remark).to_contain_text("Changes nothing: pid does not read it.")
    expect(field(page, KEYWORD)).to_be_focused()


def test_the_timeline_follows_the_attacks(page: Page) -> None:
    page.goto("/simulations/new/?example=quickstart")
    bars = page.locator("#attack_schedule-timeline .drawing rect.attack")
    told = page.locator("#attack_schedule-timeline .told")
    page.locator("[name=new_attack]").select_option("gradient_scaling")
    page.get_by_role("button", name="Add", exact=True).first.click()
    expect(field(page, "attack_schedule.0.attack_type")).to_be_focused()
    expect(bars).to_have_count(1)
    expect(told).to_contain_text("rounds 1 to 10, client ")
    field(page, "attack_schedule.0.selection_strategy").select_option("specific")
    expect(field(page, "attack_schedule.0.malicious_client_ids")).to_be_visible()
    field(page, "attack_schedule.0.malicious_client_ids").fill("1, 2, 7")
    field(page, "attack_schedule.0.start_round").fill("6")
    expect(bars).to_have_count(3)
    expect(told).to_contain_text("rounds 6 to 10, clients 1, 2, 7")
    widths = bars.evaluate_all("all => all.map(one => +one.getAttribute('width'))")
    plot = page.locator(".timeline rect.field").evaluate("one => +one.getAttribute('width')")
    assert widths == pytest.approx([plot / 2] * 3, abs=0.1)
    page.get_by_role("button", name="Remove attack 0").click()
    expect(bars).to_have_count(0)


def test_form_and_json_say_the_same(page: Page) -> None:
    page.goto("/simulations/new/?example=three_rules_under_attack")
    field(page, "num_of_rounds").fill("15")
    field(page, "simulation_strategies.1.num_of_malicious_clients").fill("2")
    expect(page.locator("#config_json")).to_have_value(re.compile('"num_of_malicious_clients": 2'))
    config = written(page)
    assert config["shared_settings"]["num_of_rounds"] == 15
    config["shared_settings"]["seed"] = 99
    config["simulation_strategies"].append({KEYWORD: "rfa", "notes": "not allowed here"})
    page.locator("#config_json").fill(json.dumps(config))
    expect(field(page, "seed")).to_have_value("99")
    expect(field(page, f"simulation_strategies.3.{KEYWORD}")).to_have_value("rfa")
    expect(field(page, "other")).to_have_value(re.compile("not allowed here"))
    assert written(page) == config
    page.locator("#config_json").fill('{"seed": ')
    expect(errors_of(page, "config_json")).to_contain_text("not valid JSON")
    expect(field(page, "seed")).to_have_value("99")


def test_the_form_does_not_write_over_json_that_it_could_not_take(page: Page) -> None:
    page.goto("/simulations/new/?example=quickstart")
    page.locator("#config_json").fill('{"seed": ')
    expect(errors_of(page, "config_json")).to_contain_text("not valid JSON")
    field(page, "num_of_rounds").fill("0")
    expect(errors_of(page, "num_of_rounds")).to_contain_text("must be at least 1")
    expect(page.locator("#config_json")).to_have_value('{"seed": ')
    expect(errors_of(page, "config_json")).to_contain_text("changed since")
    mended = {KEYWORD: "rfa", "dataset_keyword": "digits", "num_of_rounds": 4}
    page.locator("#config_json").fill(json.dumps(mended))
    expect(page.locator("#verdict")).to_contain_text("It can run.")
    expect(field(page, "num_of_rounds")).to_have_value("4")
    field(page, "num_of_rounds").fill("5")
    expect(page.locator("#config_json")).to_have_value(re.compile('"num_of_rounds": 5'))


def test_what_is_wrong_stands_beside_its_field_at_once(page: Page) -> None:
    page.goto("/simulations/new/?example=three_rules_under_attack")
    verdict = page.get_by_role("status").and_(page.locator("#verdict"))
    krum = "simulation_strategies.1.num_of_malicious_clients"
    field(page, krum).fill("4")
    expect(errors_of(page, krum)).to_contain_text("4 is too many for krum with 10 clients")
    expect(field(page, krum)).to_have_attribute("aria-invalid", "true")
    described = field(page, krum).get_attribute("aria-describedby")
    assert described is not None and f"{krum}-errors" in described.split()
    expect(verdict).to_contain_text("1 thing to mend")
    field(page, "attack_schedule.0.end_round").fill("13")
    expect(errors_of(page, "attack_schedule.0.end_round")).to_contain_text("at most num_of_rounds")
    page.locator("h1").click()
    verdict.get_by_role("button", name="Show").click()
    expect(field(page, krum)).to_be_focused()
    field(page, "learning_rate").fill("fast")
    expect(errors_of(page, "learning_rate")).to_contain_text("must be a number")
    field(page, "learning_rate").fill("0.1")
    field(page, "attack_schedule.0.end_round").fill("12")
    field(page, krum).fill("")
    expect(verdict).to_contain_text("It can run.")
    expect(field(page, krum)).not_to_have_attribute("aria-invalid", "true")


def test_typing_is_never_undone(page: Page) -> None:
    page.goto("/simulations/new/?example=quickstart")
    field(page, "display_name").fill("")
    field(page, "display_name").press_sequentially("A name typed slowly", delay=90)
    field(page, "optimizer").select_option("sgd")
    expect(field(page, "momentum")).to_be_visible()
    assert field(page, "display_name").input_value() == "A name typed slowly"
    assert written(page)["display_name"] == "A name typed slowly"


def test_a_simulation_is_made_and_made_again(page: Page, server: Live) -> None:
    page.goto("/simulations/new/?strategies=2")
    for number, keyword in enumerate(["fedavg", "krum"]):
        field(page, f"simulation_strategies.{number}.{KEYWORD}").select_option(keyword)
    field(page, "dataset_keyword").select_option("digits")
    field(page, "num_of_rounds").fill("2")
    expect(page.locator("#verdict")).to_contain_text("It can run.")
    expected = written(page)
    page.locator("#settings").get_by_role("button", name="Run it").click()
    page.wait_for_url(re.compile(r"/simulations/api_run_[0-9_]+/$"))
    identifier = page.url.rstrip("/").rpartition("/")[2]
    with urlopen(f"{server.origin}/api/simulations/{identifier}/config") as answer:
        assert json.load(answer) == expected
    page.goto(f"/simulations/new/?like={identifier}")
    expect(page.locator("#changes")).to_contain_text("nothing is changed yet")
    field(page, "num_of_rounds").fill("3")
    expect(page.locator("#changes")).to_contain_text("2 → 3")
    assert written(page)["shared_settings"]["num_of_rounds"] == 3


def test_commands_follow_the_form(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/simulations/new/?example=quickstart")
    page.locator("#commands > summary").click()
    field(page, "num_of_rounds").fill("21")
    for name in ("curl", "cli", "python"):
        expect(page.locator(f"#{name}")).to_contain_text("21")
        page.locator(f"[data-copy={name}]").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(f"#{name}").text_content()


def test_it_works_without_script(server: Live, browser: Browser) -> None:
    opened = browser.new_page(base_url=server.origin, java_script_enabled=False)
    opened.goto("/simulations/new/")
    assert field(opened, "Kp").is_hidden() is False
    field(opened, KEYWORD).select_option("fedavg")
    field(opened, "num_of_rounds").fill("4")
    opened.locator("[name=new_attack]").select_option("label_flipping")
    opened.get_by_role("button", name="Add", exact=True).first.click()
    assert field(opened, "attack_schedule.0.end_round").input_value() == "4"
    opened.get_by_role("button", name="Compare with another strategy").click()
    field(opened, f"simulation_strategies.1.{KEYWORD}").select_option("krum")
    opened.locator("#settings").get_by_role("button", name="Run it").click()
    assert re.search(r"/simulations/api_run_[0-9_]+/$", opened.url)
    opened.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(server: Live, browser: Browser, width: int) -> None:
    opened = browser.new_page(base_url=server.origin, viewport={"width": width, "height": 800})
    opened.goto("/simulations/new/?example=three_rules_under_attack")
    opened.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()
