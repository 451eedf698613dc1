"""The pages of /query for people: readable without script, from local files, and inert."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from simulations.models import RunEvent, Simulation
from simulations.query.views import RESOURCES
from tests.simulations.query.asking import Ask

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ["", *(f"{name}/" for name in RESOURCES)]


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def page(ask: Ask, path: str, **query: Any) -> tuple[str, Elements]:
    answer = ask(path, headers=BROWSER, **query)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text, Elements(answer.text)


def is_own(script: dict[str, str | None]) -> bool:
    """Tell whether a script is the assistant's panel, which every page has."""
    return script == {"type": "module", "src": "/static/simulations/assistant.js"}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(
    ask: Ask, recorded: list[Simulation], path: str
) -> None:
    text, elements = page(ask, path)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//(?!testserver)', text)
    assert all(is_own(script) for script in elements.all("script"))
    assert not elements.all("style")
    assert not any(
        "style" in attributes or "onclick" in attributes for _, attributes in elements.found
    )
    assert len(elements.all("h1")) == 1


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_link_of_a_page_leads_somewhere(
    ask: Ask, recorded: list[Simulation], client: Any, resource: str
) -> None:
    _, elements = page(ask, f"{resource}/")
    links = {str(link["href"]).replace("http://testserver", "") for link in elements.all("a")}
    assert len([link for link in links if link.startswith("/query/")]) > 3
    for link in links - {"#main"}:
        if link.startswith("/query/"):
            assert ask(link.removeprefix("/query/"), headers=BROWSER).status == 200, link
        else:
            assert client.get(link, follow=True).status_code == 200, link


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_form_has_a_labelled_field_for_each_filter_and_keeps_what_was_given(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    name = "dataset" if resource == "datasets" else "simulation"
    value = "digits" if resource == "datasets" else recorded[0].simulation_id
    given = {name: value, "ordering": "-keyword" if resource == "datasets" else "-simulation_id"}
    _, elements = page(ask, f"{resource}/", **given)
    fields = {str(field["name"]): field for field in elements.all("input")}
    assert set(fields) == {
        *RESOURCES[resource].filterset_class.base_filters,
        "ordering",
        "fields",
    }
    labelled = {label.get("for") for label in elements.all("label")}
    assert {field["id"] for field in fields.values()} == labelled
    assert {name: fields[name]["value"] for name in given} == given
    query = {name: field["value"] for name, field in fields.items()}
    assert ask(f"{resource}/", headers=BROWSER, **query).status == 200


def test_the_files_of_a_page_have_its_rows(ask: Ask, recorded: list[Simulation]) -> None:
    query = {"strategy": "krum", "fields": "id,client_id", "page_size": 5}
    _, elements = page(ask, "client-rounds/", **query)
    [link] = [str(one["href"]) for one in elements.all("a") if ".csv" in str(one["href"])]
    rows = ask(link.removeprefix("/query/")).rows()
    assert len(rows) == 12 and list(rows[0]) == ["id", "client_id"]


def test_names_and_messages_are_inert_on_pages(ask: Ask, submit: Callable[..., Simulation]) -> None:
    attack = "<script>alert(1)</script>"
    row = submit(display_name=attack, notes='"><img src=x onerror=alert(1)>', tags=[attack])
    RunEvent.objects.filter(simulation=row).update(payload={"message": attack})
    for path in ("simulations/", f"simulations/{row.simulation_id}/", "events/"):
        text, elements = page(ask, path)
        assert "&lt;script&gt;" in text
        assert all(is_own(script) for script in elements.all("script"))
        assert not elements.all("img")
    text, elements = page(ask, "simulations/", search=attack)
    assert all(is_own(script) for script in elements.all("script"))
    refused = ask("rounds/", headers=BROWSER, strategy=attack)
    assert refused.status == 400 and "<script" not in refused.text


def test_a_browser_gets_errors_as_pages(ask: Ask) -> None:
    for path, status in (("rounds/?round=x", 400), ("rounds/1/", 404), ("rounds.xls", 400)):
        answer = ask(path, headers=BROWSER)
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<h1>" in answer.text


def test_a_page_without_rows_says_so(ask: Ask) -> None:
    assert "Nothing matches." in page(ask, "rounds/")[0]


def test_a_page_can_be_asked_for_by_its_format(ask: Ask) -> None:
    assert ask("rounds/?format=html").headers["Content-Type"].startswith("text/html")
