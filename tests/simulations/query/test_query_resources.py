"""What each resource holds, and how many questions of the database that takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from simulations.models import ClientRound, RunEvent, Simulation, StrategyRun
from simulations.query.views import RESOURCES
from tests.simulations.query.asking import RECORDED, Ask, everything, shown


def test_the_root_names_every_resource_and_its_files(ask: Ask) -> None:
    root = ask("").json()
    assert [one["name"] for one in root["resources"]] == list(RESOURCES)
    for one in root["resources"]:
        for key in ("url", "csv", "json"):
            assert ask(one[key].partition("/query/")[2]).status == 200
    assert ask(root["schema"].partition("/query/")[2]).status == 200


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_slash_at_the_end_makes_no_difference(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    with_slash = ask(f"{resource}/")
    assert with_slash.status == 200
    assert ask(resource).json()["results"] == with_slash.json()["results"] != []


def test_a_simulation_has_what_the_api_tells_of_it(
    ask: Ask, recorded: list[Simulation], client: Any
) -> None:
    shown = {row["simulation_id"]: row for row in everything(ask, "simulations")}
    assert list(shown) == [row.simulation_id for row in reversed(recorded)]
    for row in recorded:
        told = client.get(f"/api/simulations/{row.simulation_id}").json()
        own = shown[row.simulation_id]
        same = {*told} & {*own} - {"created_at", "started_at", "finished_at", "config"}
        assert len(same) > 10
        assert {name: own[name] for name in same} == {name: told[name] for name in same}
        assert datetime.fromisoformat(own["created_at"]) == row.created_at
        assert own["config"] == row.config


def test_a_strategy_has_the_status_that_the_api_tells(
    ask: Ask, recorded: list[Simulation], client: Any
) -> None:
    told = {
        (row.simulation_id, one["strategy_number"]): one["status"]
        for row in recorded
        for one in client.get(f"/api/simulations/{row.simulation_id}").json()["strategies"]
    }
    shown = {
        (row["simulation_id"], row["strategy_number"]): row["status"]
        for row in everything(ask, "strategies")
    }
    assert shown == told
    assert set(told.values()) == {"completed", "failed", "queued"}


def test_the_started_strategy_of_a_running_simulation_runs_and_the_next_waits(
    ask: Ask, recorded: list[Simulation]
) -> None:
    first = Simulation.objects.filter(pk=recorded[0].pk)
    first.update(status="running", finished_at=None)
    StrategyRun.objects.filter(simulation__in=first).update(started_at=None, finished_at=None)
    StrategyRun.objects.filter(simulation__in=first, number=0).update(
        started_at=recorded[0].created_at
    )
    rows = ask("strategies/", simulation=recorded[0].simulation_id).json()["results"]
    assert [row["status"] for row in rows] == ["running", "queued"]
    found = ask("strategies/", status="running").json()["results"]
    assert [row["strategy_number"] for row in found] == [0]


def test_rows_of_clients_are_what_was_recorded(ask: Ask, recorded: list[Simulation]) -> None:
    shown = everything(ask, "client-rounds")
    assert len(shown) == ClientRound.objects.count() == 3 * 3 * 4
    for row in shown:
        stored = ClientRound.objects.get(pk=row["id"])
        run = stored.strategy_run
        for name in ("round_number", "client_id", "loss", "is_malicious", "num_examples"):
            assert row[name] == getattr(stored, name)
        assert row["simulation_id"] == run.simulation.simulation_id
        assert (row["strategy_number"], row["strategy_keyword"]) == (run.number, run.keyword)
    places = [(row["id"], row["round_number"], row["client_id"]) for row in shown]
    assert places == sorted(places)


@pytest.mark.parametrize("resource", RESOURCES)
def test_chosen_fields_come_in_the_order_in_which_they_were_chosen(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    names = list(reversed(RESOURCES[resource].serializer_class.Meta.fields))
    for row in ask(f"{resource}/", fields=",".join(names)).json()["results"]:
        assert list(row) == names
    assert ask(f"{resource}.csv", fields=",".join(names)).text.split("\r\n")[0] == ",".join(names)
    assert list(ask(f"{resource}.json", fields=names[2]).json()[0]) == [names[2]]


def test_large_fields_come_on_demand(ask: Ask, recorded: list[Simulation]) -> None:
    assert "config" not in ask("simulations/").json()["results"][0]
    assert ask("strategies/", fields="config").json()["results"][0]["config"]


@pytest.mark.parametrize("resource", RECORDED)
def test_one_row_is_the_row_of_the_list(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    key = "simulation_id" if resource == "simulations" else "id"
    for row in shown(ask, resource)[:3]:
        assert ask(f"{resource}/{row[key]}/").json() == row
        assert ask(f"{resource}/{row[key]}", fields=key).json() == {key: row[key]}


def queries(ask: Ask, path: str, **query: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert ask(path, **query).status == 200
    return len(captured)


@pytest.mark.parametrize("resource", RECORDED)
def test_a_page_and_a_file_take_as_many_queries_for_many_rows_as_for_few(
    ask: Ask,
    submit: Callable[..., Simulation],
    record: Callable[..., StrategyRun],
    resource: str,
) -> None:
    paths = [f"{resource}/", f"{resource}.csv", f"{resource}.json"]
    row = submit(tags=["a"])
    record(row, rounds=2)
    few = [queries(ask, path, simulation=row.simulation_id, tag="a") for path in paths]
    for _ in range(5):
        other = submit(tags=["a", "b"])
        record(other, rounds=4)
    RunEvent.objects.filter(simulation=row).update(kind="warning")
    assert [queries(ask, path, simulation=row.simulation_id, tag="a") for path in paths] == few
    assert [queries(ask, path, tag="a") for path in paths] == [count - 1 for count in few]
    assert max(few) <= 3


def test_options_tells_what_is_allowed(ask: Ask) -> None:
    answer = ask("rounds/", "options")
    assert (answer.status, answer.headers["Allow"]) == (200, "GET, HEAD, OPTIONS")
    assert "Allow" not in ask("rounds/").headers
    assert answer.headers["Vary"] == ask("rounds/").headers["Vary"]
