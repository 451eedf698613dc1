"""The pages: what they show, when they refresh, and that nothing in them acts by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from simulations import services
from simulations.models import RoundMetrics, Simulation, StrategyRun
from simulations.pages import tables

LIST = "/simulations/"
VOID = {"meta", "link", "input", "img", "br", "hr"}
pytestmark = pytest.mark.django_db


class Outline(HTMLParser):
    """Collects tags, and complains about elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(client: Client, url: str) -> tuple[str, Outline]:
    answer = client.get(url)
    assert answer.status_code == 200
    text = answer.content.decode()
    return text, Outline(text)


def detail_url(row: Simulation) -> str:
    return f"{LIST}{row.simulation_id}/"


def refreshes(outline: Outline) -> bool:
    return any(meta.get("http-equiv") == "refresh" for meta in outline.all("meta"))


def test_the_empty_list_tells_how_to_submit(client: Client) -> None:
    text, outline = page(client, LIST)
    assert "curl http://testserver/api/simulations -d" in text
    assert not outline.all("table")
    assert not refreshes(outline)


def test_the_list_shows_each_simulation(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit(display_name="Baseline", tags=["red"]), rounds_done=3)
    StrategyRun.objects.update(final_accuracy=0.9123)
    text, outline = page(client, LIST)
    for shown in ("Baseline", "completed", "fedavg", "digits", "0.912", "red", "75 %"):
        assert shown in text
    assert {"href": detail_url(row)} in outline.all("a")
    assert outline.all("progress")[0]["value"] == "0.7500"


def test_a_page_refreshes_only_while_something_is_active(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = submit()
    assert refreshes(page(client, LIST)[1])
    assert refreshes(page(client, detail_url(row))[1])
    end(row)
    assert not refreshes(page(client, LIST)[1])
    assert not refreshes(page(client, detail_url(row))[1])


def test_the_list_is_searched_and_paged(client: Client, submit: Callable[..., Simulation]) -> None:
    for number in range(51):
        submit(display_name=f"run {number:02}")
    text, _ = page(client, LIST)
    assert "Page 1 of 2" in text and "run 50" in text and "run 00" not in text
    text, _ = page(client, f"{LIST}?page=2")
    assert "run 00" in text and "run 50" not in text
    text, _ = page(client, f"{LIST}?search=run+07&status=queued")
    assert "run 07" in text and "run 08" not in text
    assert "No simulation matches" in page(client, f"{LIST}?status=failed")[0]


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=-1", "page=٣", "page=" + "9" * 40, "status=x", "search=%00"]
)
def test_odd_queries_show_the_list(client: Client, query: str) -> None:
    assert client.get(f"{LIST}?{query}").status_code == 200


def test_the_list_takes_as_many_queries_for_many_rows_as_for_few(
    client: Client, submit: Callable[..., Simulation], django_assert_num_queries: Any
) -> None:
    submit(tags=["a"])
    with django_assert_num_queries(8):
        client.get(LIST)
    for _ in range(9):
        submit(tags=["a", "b"])
    with django_assert_num_queries(8):
        client.get(LIST)


def test_the_detail_shows_state_rounds_figures_and_files(
    client: Client,
    submit: Callable[..., Simulation],
    record: Callable[..., StrategyRun],
    out_dir: Path,
) -> None:
    row = submit(display_name="Baseline", notes="first\nsecond", tags=["red"])
    record(row, rounds=2)
    plots = out_dir / row.simulation_id / "plots"
    plots.mkdir()
    (plots / "loss 0.png").write_bytes(b"x")
    text, outline = page(client, detail_url(row))
    for shown in ("Baseline", "queued", "red", "first<br>second", "0.5100", "num_of_rounds"):
        assert shown in text
    results = f"/api/simulations/{row.simulation_id}/results/"
    assert outline.all("img")[0]["src"] == f"{results}plots/loss%200.png"
    assert {"href": f"{results}config.json"} in outline.all("a")
    [form] = outline.all("form")
    assert (form["method"], form["action"]) == ("post", f"{detail_url(row)}stop/")


def test_the_detail_of_several_strategies_takes_a_bounded_number_of_queries(
    client: Client, record: Callable[..., StrategyRun], django_assert_max_num_queries: Any
) -> None:
    entry = {"aggregation_strategy_keyword": "fedavg"}
    row = services.create(
        {
            "shared_settings": {"num_of_rounds": 3, "dataset_keyword": "digits"},
            "simulation_strategies": [{**entry, "seed": seed} for seed in range(5)],
        }
    ).simulation
    for number in range(5):
        record(row, rounds=3, number=number)
    with django_assert_max_num_queries(4 + 5):
        page(client, detail_url(row))


def test_a_failure_is_told_and_cannot_be_stopped(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit(), "failed", error="Client 3 ran out of memory.")
    text, outline = page(client, detail_url(row))
    assert "Client 3 ran out of memory." in text
    assert not outline.all("form")


def test_the_stop_button_stops(submit: Callable[..., Simulation]) -> None:
    client, row = Client(enforce_csrf_checks=True), submit()
    text, _ = page(client, detail_url(row))
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    assert found
    data = {"csrfmiddlewaretoken": found[1]}
    answer = client.post(f"{detail_url(row)}stop/", data, follow=True)
    assert "Stopped." in answer.content.decode()
    row.refresh_from_db()
    assert row.status == "stopped"
    again = client.post(f"{detail_url(row)}stop/", data, follow=True)
    assert "Not stopped: the simulation is already stopped." in again.content.decode()


def test_stop_by_get_is_refused(client: Client, submit: Callable[..., Simulation]) -> None:
    row = submit()
    assert client.get(f"{detail_url(row)}stop/").status_code == 405
    row.refresh_from_db()
    assert row.status == "queued"


def is_own(script: dict[str, str | None]) -> bool:
    """Tell whether a script comes from a file of ours."""
    return (script.get("src") or "").startswith("/static/")


def test_what_users_write_is_inert(client: Client, submit: Callable[..., Simulation]) -> None:
    evil = "</script><script>alert(1)</script>"
    row = submit(display_name=evil, notes=evil, tags=[evil])
    for url in (LIST, detail_url(row), f"{LIST}?search={evil}"):
        text, outline = page(client, url)
        assert all(is_own(script) for script in outline.all("script"))
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize("kind", ["empty", "list", "detail", "problem"])
def test_pages_are_accessible(
    client: Client, submit: Callable[..., Simulation], record: Callable[..., StrategyRun], kind: str
) -> None:
    url = LIST
    if kind != "empty":
        row = submit()
        record(row, rounds=1)
        url = {"list": LIST, "detail": detail_url(row), "problem": f"{LIST}none/"}[kind]
    outline = Outline(client.get(url, headers={"accept": "text/html"}).content.decode())
    assert outline.all("html")[0]["lang"] == "en"
    assert outline.all("title")
    for landmark in ("header", "nav", "main", "h1"):
        assert outline.all(landmark), landmark
    assert len(outline.all("h1")) == len(outline.all("main")) == 1
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in outline.all("label")}
    fields = [*outline.all("input"), *outline.all("select")]
    visible = [field for field in fields if field.get("type") != "hidden"]
    assert all(field.get("aria-label") or field["id"] in labelled for field in visible)
    assert all(image["alt"] for image in outline.all("img"))
    assert all("scope" in heading for heading in outline.all("th"))
    assert all(is_own(script) for script in outline.all("script"))
    assert not any(name.startswith("on") for _, tag in outline.tags for name in tag)
    assert not any("style" in tag for _, tag in outline.tags)
    named = {tag.get("aria-labelledby") for tag in outline.all("section")} - {None}
    assert named <= set(ids)


@pytest.mark.parametrize(("theme", "block"), [("light", 0), ("dark", 1)])
def test_text_has_contrast_in_both_themes(theme: str, block: int) -> None:
    css = Path("simulations/static/simulations/style.css").read_text()
    colours = dict(
        re.findall(r"--(\w+): (#\w{6})", re.findall(r":root \{(.*?)\}", css, re.S)[block])
    )
    for ground in ("ground", "surface", "wash"):
        for text in ("text", "quiet", "link", "good", "bad", "warn"):
            ratio = contrast(colours[text], colours[ground])
            assert ratio >= 4.5, f"{theme}: {text} on {ground} is {ratio:.2f}"


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_table_has_only_measured_columns_and_the_last_rounds(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    from simulations import selectors

    run = record(submit(), rounds=tables.LAST_ROUNDS + 3, clients=0)
    RoundMetrics.objects.filter(round_number=5).update(tp=4)
    table = tables.rounds(selectors.rounds_of(run))
    assert table.headings == ["Round", "Loss", "Accuracy", "TP"]
    assert table.omitted == 3
    assert table.rows[0] == ["4", "0.2500", "0.5400", "–"]
    assert table.rows[1] == ["5", "0.2000", "0.5500", "4"]
    assert table.rows[-1][0] == str(tables.LAST_ROUNDS + 3)
