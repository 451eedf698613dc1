"""The list: its filters and order are in its address, and the selected ones can be acted on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from simulations.models import Simulation, StrategyRun

LIST = "/simulations/"
SELECTED = "/simulations/selected/"
pytestmark = pytest.mark.django_db
New = Callable[..., Simulation]
ATTACK = {
    "attack_type": "targeted_label_flipping",
    "source_class": 1,
    "target_class": 2,
    "start_round": 1,
    "end_round": 2,
    "selection_strategy": "specific",
    "malicious_client_ids": [1],
}


def shown(client: Client, query: str = "") -> list[str]:
    """Return the names of the listed simulations, in order."""
    text = client.get(f"{LIST}?{query}").content.decode()
    return re.findall(r'<th scope="row">\s*<a [^>]*>([^<]+)</a>', text)


@pytest.fixture
def three(submit: New, end: Any) -> list[Simulation]:
    rows = [
        submit(display_name="b", tags=["red"], num_of_rounds=2),
        submit(display_name="a", attack_schedule=[ATTACK]),
        submit(display_name="c", aggregation_strategy_keyword="trust", dataset_keyword="mnist5k"),
    ]
    end(rows[0], "completed")
    return rows


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["c", "a", "b"]),
        ("ordering=display_name", ["a", "b", "c"]),
        ("ordering=-display_name", ["c", "b", "a"]),
        ("ordering=num_of_rounds", ["b", "a", "c"]),
        ("ordering=nonsense", ["c", "a", "b"]),
        ("status=completed", ["b"]),
        ("strategy=trust", ["c"]),
        ("dataset=mnist5k", ["c"]),
        ("attack=targeted_label_flipping", ["a"]),
        ("attack=label_flipping", []),
        ("tag=red", ["b"]),
        ("search=targeted", ["a"]),
        ("search=%25", []),
        ("status=queued&ordering=display_name", ["a", "c"]),
        ("archived=1", []),
    ],
)
def test_filters_and_order_come_from_the_address(
    client: Client, three: Any, query: str, names: list[str]
) -> None:
    assert shown(client, query) == names


def test_a_heading_sorts_by_its_column_and_then_the_other_way(client: Client, three: Any) -> None:
    text = client.get(f"{LIST}?status=queued&ordering=-display_name").content.decode()
    assert 'aria-sort="descending"' in text
    link = re.search(r'<a href="\?([^"]*)">Name', text)
    assert link
    assert parse_qs(link[1].replace("&amp;", "&")) == {
        "status": ["queued"],
        "ordering": ["display_name"],
    }


def act(client: Client, action: str, rows: list[Simulation], **data: str) -> Any:
    ids = [row.simulation_id for row in rows]
    return client.post(SELECTED, {"action": action, "simulation_id": ids, **data}, follow=True)


def test_selected_ones_are_stopped_together(client: Client, three: list[Simulation]) -> None:
    answer = act(client, "stop", three, query="ordering=display_name")
    assert "2 of 3 are stopped" in answer.content.decode()
    assert urlsplit(answer.redirect_chain[-1][0]).query == "ordering=display_name"
    statuses = Simulation.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == ["completed", "stopped", "stopped"]


def test_archiving_hides_and_can_be_undone(client: Client, three: list[Simulation]) -> None:
    answer = act(client, "archive", three[:2])
    assert shown(client) == ["c"] and sorted(shown(client, "archived=1")) == ["a", "b"]
    text = answer.content.decode()
    assert "Archived 2." in text and text.count('value="unarchive"') == 1
    assert "Archived 2." not in client.get(LIST).content.decode()
    act(client, "unarchive", three[:2])
    assert shown(client) == ["c", "a", "b"]


def test_deleting_asks_first(client: Client, three: list[Simulation]) -> None:
    asked = act(client, "delete", three[:2])
    assert "Delete 2 simulations for good?" in asked.content.decode()
    assert Simulation.objects.count() == 3
    done = act(client, "delete", three[:2], is_sure="yes").content.decode()
    assert "Deleted 1." in done and "stop it first" in done
    assert shown(client) == ["c", "a"]


def test_comparing_goes_to_the_page_that_compares(client: Client, three: list[Simulation]) -> None:
    ids = [row.simulation_id for row in three[:2]]
    answer = client.post(SELECTED, {"action": "compare", "simulation_id": ids})
    assert answer["Location"] == f"/simulations/compare/?ids={ids[0]}%2C{ids[1]}"


@pytest.mark.parametrize("data", [{}, {"action": "stop"}, {"simulation_id": "x"},
                                  {"action": "rm", "simulation_id": "x"}])  # fmt: skip
def test_nothing_selected_or_unknown_does_nothing(
    client: Client, three: Any, data: dict[str, str]
) -> None:
    answer = client.post(SELECTED, data, follow=True)
    assert "Select simulations" in answer.content.decode()
    assert client.get(SELECTED).status_code == 405


def test_the_way_back_stays_on_the_list(client: Client, three: list[Simulation]) -> None:
    evil = "x\r\nSet-Cookie: a=b&next=//evil.example"
    answer = client.post(
        SELECTED, {"action": "archive", "simulation_id": three[0].simulation_id, "query": evil}
    )
    assert answer["Location"].startswith("/simulations/?") and "\n" not in answer["Location"]
    assert "evil.example" not in urlsplit(answer["Location"]).netloc


def test_the_table_as_csv_has_all_that_match(client: Client, submit: New, three: Any) -> None:
    for number in range(51):
        submit(display_name=f"=cmd|{number}", tags=["t", "u"])
    StrategyRun.objects.filter(simulation=three[0]).update(final_accuracy=0.25)
    answer = client.get(f"{LIST}table.csv?ordering=created_at")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 54 and [row["display_name"] for row in rows[:3]] == ["b", "a", "c"]
    assert rows[3]["display_name"] == "'=cmd|0" and rows[3]["tags"] == "t, u"
    assert (rows[0]["lowest_accuracy"], rows[1]["lowest_accuracy"]) == ("0.25", "")
    assert rows[1]["attack_types"] == "targeted_label_flipping"
    filtered = client.get(f"{LIST}table.csv?tag=t").content.decode()
    assert len(filtered.splitlines()) == 52
