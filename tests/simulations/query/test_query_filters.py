"""Filters keep exactly the rows that pass; oracles filter all rows in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulations.models import Simulation, StrategyRun
from tests.simulations.query.asking import RECORDED, Ask, everything, shown


@pytest.mark.parametrize(
    ("asked", "tags"),
    [
        ("a\\,b", {"a,b"}),
        ("a\\,b,c", {"a,b", "c"}),
        ("c, a\\,b", {"a,b", "c"}),
        ("d\\e", {"d\\e"}),
        ("f\\\\,c", {"f\\", "c"}),
        ("a,b", set()),
    ],
)
def test_a_comma_of_a_tag_itself_is_escaped(
    ask: Any, submit: Callable[..., Simulation], asked: str, tags: set[str]
) -> None:
    for tag in ("a,b", "c", "d\\e", "f\\"):
        submit(tags=[tag])
    found = ask("simulations/", tag=asked).json()["results"]
    assert {tag for row in found for tag in row["tags"]} == tags


def test_a_row_that_has_several_of_the_tags_comes_once(
    ask: Ask, submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    record(submit(tags=["a", "b", "c"]), rounds=2)
    for resource, count in (("simulations", 1), ("strategies", 1), ("rounds", 2), ("events", 1)):
        assert len(ask(f"{resource}/", tag="a,b").json()["results"]) == count


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def attacks_of(row: dict[str, Any]) -> list[str]:
    names: list[str] = row["attack_types"].split(", ")
    return names


FILTERS: list[tuple[str, str, Any, Callable[[Any, Any], bool]]] = [
    ("simulations", "status", "failed", lambda row, it: row["status"] == it),
    ("simulations", "status", "failed,queued", lambda row, it: row["status"] in it),
    ("simulations", "strategy", "fedavg", lambda row, it: it in row["strategy_names"]),
    ("simulations", "dataset", "digits", lambda row, it: row["dataset_keyword"] == it),
    ("simulations", "dataset", "mnist5k,cifar10", lambda row, it: row["dataset_keyword"] in it),
    ("simulations", "attack", "label_flipping", lambda row, it: it in attacks_of(row)),
    (
        "simulations",
        "attack",
        "gaussian_noise,model_poisoning",
        lambda row, it: len(attacks_of(row)) > 1,
    ),
    ("simulations", "archived", "true", lambda row, it: row["archived_at"]),
    ("simulations", "archived", "false", lambda row, it: not row["archived_at"]),
    ("simulations", "tag", "paper", lambda row, it: it in row["tags"]),
    ("simulations", "search", "größe <", lambda row, it: "Größe <" in row["display_name"]),
    ("simulations", "search", "SECOND", lambda row, it: "second" in row["notes"]),
    ("simulations", "seed", str(2**40), lambda row, it: row["seed"] == 2**40),
    ("simulations", "num_of_rounds_min", 4, lambda row, it: row["num_of_rounds"] >= it),
    ("simulations", "num_of_rounds_max", 3, lambda row, it: row["num_of_rounds"] <= it),
    ("simulations", "num_of_clients_min", 7, lambda row, it: row["num_of_clients"] >= it),
    ("simulations", "num_of_clients_max", 6, lambda row, it: row["num_of_clients"] <= it),
    ("strategies", "strategy", "krum,trimmed_mean", lambda row, it: row["strategy_keyword"] in it),
    ("strategies", "strategy_number", 1, lambda row, it: row["strategy_number"] == it),
    ("strategies", "status", "queued", lambda row, it: row["status"] == it),
    ("strategies", "dataset", "digits", lambda row, it: row["dataset_keyword"] == it),
    ("strategies", "final_accuracy_min", "0.25", lambda row, it: row["final_accuracy"] == 0.25),
    ("strategies", "final_accuracy_max", "0.3", lambda row, it: row["final_accuracy"] == 0.25),
    ("rounds", "strategy", "fedavg", lambda row, it: row["strategy_keyword"] == it),
    ("rounds", "strategy_number", "0", lambda row, it: row["strategy_number"] == 0),
    ("rounds", "round", "1,3", lambda row, it: row["round_number"] in (1, 3)),
    ("rounds", "round_min", 2, lambda row, it: row["round_number"] >= it),
    ("rounds", "round_max", 2, lambda row, it: row["round_number"] <= it),
    ("rounds", "global_accuracy_min", 0.2, lambda row, it: (row["global_accuracy"] or 0) >= it),
    ("rounds", "global_accuracy_max", 0.2, lambda row, it: (row["global_accuracy"] or 1) <= it),
    ("client-rounds", "client", "1,2", lambda row, it: row["client_id"] in (1, 2)),
    ("client-rounds", "malicious", "true", lambda row, it: row["is_malicious"]),
    ("client-rounds", "malicious", "False", lambda row, it: not row["is_malicious"]),
    ("client-rounds", "removed", "1", lambda row, it: row["is_removed"]),
    ("client-rounds", "participated", "0", lambda row, it: not row["participated"]),
    ("client-rounds", "removal_criterion_min", 0.1, lambda row, it: row["removal_criterion"] == it),
    ("client-rounds", "removal_criterion_max", 0, lambda row, it: row["removal_criterion"] == it),
    ("client-rounds", "round_min", 3, lambda row, it: row["round_number"] >= it),
    ("events", "kind", "warning", lambda row, it: row["kind"] == it),
]


@pytest.mark.parametrize(("resource", "name", "value", "passes"), FILTERS)
def test_a_filter_keeps_exactly_the_rows_that_pass(
    ask: Ask, recorded: list[Simulation], resource: str, name: str, value: Any, passes: Any
) -> None:
    rows = everything(ask, resource)
    key = "simulation_id" if resource == "simulations" else "id"
    expected = [row[key] for row in rows if passes(row, value)]
    assert 0 < len(expected) < len(rows)
    kept = ask(f"{resource}/", **{name: value}).json()["results"]
    assert [row[key] for row in kept] == expected


@pytest.mark.parametrize("resource", RECORDED)
def test_rows_are_found_by_simulation_status_and_tag(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    first, second, third = (row.simulation_id for row in recorded)

    def runs(**query: Any) -> set[str]:
        rows = ask(f"{resource}/", **query).json()["results"]
        return {row["simulation_id"] for row in rows}

    assert runs(simulation=first) == {first}
    assert runs(simulation=f"{first},{second}") == {first, second}
    assert runs(status="failed") == {second}
    assert runs(tag="é") == set()
    assert runs(tag="paper") == {first, second}
    if resource in ("simulations", "strategies"):
        assert runs(simulation=third) == {third}


TIMES = [
    ("simulations", "created", "created_at"),
    ("simulations", "finished", "finished_at"),
    ("strategies", "finished", "finished_at"),
    ("rounds", "recorded", "recorded_at"),
    ("events", "created", "created_at"),
]


@pytest.mark.parametrize(("resource", "name", "column"), TIMES)
def test_times_select_a_half_open_interval(
    ask: Ask, recorded: list[Simulation], resource: str, name: str, column: str
) -> None:
    rows = everything(ask, resource)
    times = sorted({row[column] for row in rows if row[column]})
    for edge in (times[0], times[-1]):
        moment = datetime.fromisoformat(edge)
        shifted = (moment - timedelta(hours=5)).replace(tzinfo=None).isoformat() + "-05:00"
        for written in (edge, moment.isoformat(), shifted):
            later = ask(f"{resource}/", **{f"{name}_after": written}).json()["results"]
            earlier = ask(f"{resource}/", **{f"{name}_before": written}).json()["results"]
            assert later == [one for one in shown(ask, resource) if _at(one, column, ">=", moment)]
            assert earlier == [one for one in shown(ask, resource) if _at(one, column, "<", moment)]


def _at(row: Any, column: str, relation: str, moment: datetime) -> bool:
    own = instant(row[column])
    return own is not None and (own >= moment if relation == ">=" else own < moment)


def test_a_date_is_its_first_moment_in_utc(ask: Ask, recorded: list[Simulation]) -> None:
    first = recorded[0]
    day = first.created_at.date()
    found = ask("simulations/", created_after=day, created_before=day + timedelta(days=1)).json()
    assert [row["simulation_id"] for row in found["results"]] == [first.simulation_id]


def test_events_are_followed_by_the_last_id(ask: Ask, recorded: list[Simulation]) -> None:
    rows = everything(ask, "events")
    assert ask("events/", id_after=rows[1]["id"]).json()["results"] == rows[2:]


def test_filters_hold_together(ask: Ask, recorded: list[Simulation]) -> None:
    query = {"simulation": recorded[0].simulation_id, "strategy": "krum", "round_min": 2}
    found = ask("client-rounds/", malicious="true", **query).json()["results"]
    assert [(row["round_number"], row["client_id"]) for row in found] == [(2, 1), (3, 1)]


def test_an_empty_filter_filters_nothing(ask: Ask, recorded: list[Simulation]) -> None:
    query = {"strategy": "", "round_min": "", "malicious": "", "tag": "", "ordering": ""}
    assert len(ask("client-rounds/", **query).json()["results"]) == 36
