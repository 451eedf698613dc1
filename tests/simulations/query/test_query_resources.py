"""What each resource holds, filters by and refuses; oracles filter and sort all rows in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from simulations.models import ClientRound, RunEvent, Simulation, StrategyRun
from simulations.query.views import RESOURCES, ClientRoundViewSet

Ask = Callable[..., Any]
Rows = list[dict[str, Any]]
RECORDED = [name for name in RESOURCES if name != "datasets"]


def everything(ask: Ask, resource: str) -> Rows:
    fields = ",".join(RESOURCES[resource].serializer_class.Meta.fields)
    rows: Rows = ask(f"{resource}.json", fields=fields).json()
    return rows


def refusals(ask: Ask, path: str, **query: Any) -> list[str]:
    answer = ask(path, **query)
    assert answer.status == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["detail"].startswith("The request is not valid: ")
    errors: list[str] = body["errors"]
    return errors


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
            assert later == [one for one in _shown(ask, resource) if _at(one, column, ">=", moment)]
            assert earlier == [
                one for one in _shown(ask, resource) if _at(one, column, "<", moment)
            ]


def _shown(ask: Ask, resource: str) -> Rows:
    rows: Rows = ask(f"{resource}/").json()["results"]
    return rows


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
    for row in _shown(ask, resource)[:3]:
        assert ask(f"{resource}/{row[key]}/").json() == row
        assert ask(f"{resource}/{row[key]}", fields=key).json() == {key: row[key]}


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "nothing/",
        "nothing.csv",
        "rounds/999999/",
        "rounds/-1/",
        "rounds/1.csv",
        f"rounds/{2**63}/",
        f"rounds/{'9' * 4000}/",
        "rounds/x/",
        "simulations/unknown/",
        "simulations/a.b/",
        "simulations/a%00b/",
        "simulations/%2e%2e/",
        f"simulations/{'x' * 65}/",
        "rounds//",
    ],
)
def test_what_is_not_there_is_404(ask: Ask, recorded: list[Simulation], path: str) -> None:
    answer = ask(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Not Found"


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("rounds/", {"stratgy": "krum"}, "unknown parameter 'stratgy'; did you mean 'strategy'?"),
    ("rounds/", {"simulation_id": "x"}, "did you mean 'simulation'?"),
    ("client-rounds/", {"client_id": 1}, "did you mean 'client'?"),
    ("rounds/", {"limit": 3}, "unknown parameter 'limit'; "),
    ("rounds/", {"=": 1}, "unknown parameter '='; "),
    ("rounds/1/", {"strategy": "krum"}, "unknown parameter 'strategy'; allowed are fields, format"),
    ("rounds/", {"strategy": "krumm"}, "strategy: unknown strategy 'krumm'; did you mean 'krum'?"),
    ("rounds/", {"strategy": "x' OR 1=1 --"}, "strategy: unknown strategy"),
    ("rounds/", {"strategy": "krum,"}, "strategy: unknown strategy ''"),
    (
        "simulations/",
        {"status": "done"},
        "status: unknown status 'done'; allowed are"
        " completed, failed, pending, queued, running, stopped",
    ),
    ("events/", {"kind": "warnings"}, "kind: unknown kind 'warnings'; did you mean 'warning'?"),
    ("rounds/", {"simulation": "nope"}, "simulation: there is no simulation nope"),
    ("rounds/", {"simulation": "../x"}, "simulation: an id has 1 to 64 letters"),
    ("rounds/", {"simulation": "a,"}, "simulation: an id has 1 to 64 letters"),
    ("rounds/", {"round_min": "two"}, "round_min: must be a whole number from 0 to 2147483647"),
    ("rounds/", {"round_min": "-1"}, "round_min: must be a whole number"),
    ("rounds/", {"round_min": "1.0"}, "round_min: must be a whole number"),
    ("rounds/", {"round_min": "²"}, "round_min: must be a whole number"),
    ("rounds/", {"round": "1,x"}, "round: must be a whole number"),
    ("rounds/", {"round": 2**31}, "round: must be a whole number"),
    ("rounds/", {"round": "9" * 5000}, "round: must be a whole number"),
    ("rounds/", {"round": ",".join("1" * 201)}, "round: 201 values are too many; at most 200"),
    ("simulations/", {"seed": 2**63}, "seed: must be a whole number up to"),
    ("rounds/", {"global_accuracy_min": "nan"}, "global_accuracy_min: must be a finite number"),
    ("rounds/", {"global_accuracy_min": "1e999"}, "global_accuracy_min: must be a finite number"),
    ("rounds/", {"global_accuracy_min": "1_0"}, "global_accuracy_min: must be a finite number"),
    ("client-rounds/", {"malicious": "maybe"}, "malicious: must be true or false, not 'maybe'"),
    ("rounds/", {"recorded_after": "yesterday"}, "recorded_after: must be a time such as 2026-"),
    ("rounds/", {"recorded_after": "2026-02-30"}, "recorded_after: must be a time"),
    ("rounds/", {"recorded_after": "0001-01-01T00:00:00+23:00"}, "recorded_after: must be a time"),
    ("rounds/", {"recorded_after": "2026-11-24T06:00:00 00:00"}, "+ is written %2B"),
    ("simulations/", {"dataset": "x" * 201}, "dataset: must have 1 to 200 characters, not 201"),
    ("simulations/", {"tag": ","}, "tag: must have 1 to 200 characters, not 0"),
    ("simulations/", {"search": "a\0b"}, "search: Null characters are not allowed."),
    ("rounds/", {"ordering": "acuracy"}, "ordering: unknown field 'acuracy'; "),
    ("rounds/", {"ordering": "--tp"}, "ordering: unknown field '-tp'"),
    ("rounds/", {"ordering": "tp,-tp"}, "ordering: 'tp' is named more than once"),
    ("rounds/", {"ordering": "strategy_run__simulation__config"}, "ordering: unknown field"),
    ("simulations/", {"ordering": "config"}, "ordering: unknown field 'config'"),
    ("simulations/", {"ordering": "tags"}, "ordering: unknown field 'tags'"),
    ("rounds/", {"fields": "tp,fpp"}, "fields: unknown field 'fpp'; "),
    ("rounds/", {"fields": "tp,tp"}, "fields: 'tp' is named more than once"),
    ("rounds/", {"fields": "-tp"}, "fields: unknown field '-tp'"),
    ("simulations/", {"fields": "attempt_token"}, "fields: unknown field 'attempt_token'"),
    ("simulations/", {"fields": "idempotency_key"}, "fields: unknown field 'idempotency_key'"),
    ("rounds/", {"format": "xls"}, "format: unknown format 'xls'; allowed are csv, html, json"),
    ("rounds.xls", {}, "format: unknown format 'xls'; allowed are csv, html, json"),
    ("rounds/1/", {"format": "csv"}, "format: unknown format 'csv'; allowed are html, json"),
    ("rounds/", {"page_size": 0}, "page_size: must be a whole number from 1 to 1000"),
    ("rounds/", {"page_size": 1001}, "page_size: must be a whole number from 1 to 1000"),
    ("rounds/", {"page_size": "all"}, "page_size: must be a whole number from 1 to 1000"),
    ("rounds.csv", {"page_size": 10}, "unknown parameter 'page_size'"),
    ("rounds.csv", {"round_min": "x"}, "round_min: must be a whole number"),
    ("rounds/", {"round": ["1", "2"]}, "round: given more than once; separate values by commas"),
]


@pytest.mark.parametrize(("path", "query", "told"), WRONG)
def test_what_makes_no_sense_is_refused_with_what_does(
    ask: Ask, recorded: list[Simulation], path: str, query: Any, told: str
) -> None:
    path = path.replace("/1/", f"/{ask('rounds/').json()['results'][0]['id']}/")
    [error] = refusals(ask, path, **query)
    assert told in error


def test_everything_wrong_is_told_at_once(ask: Ask) -> None:
    errors = refusals(ask, "rounds/", x=1, status="x", round_min="x", fields="x", ordering="x")
    assert sorted(error.split(":")[0].split(";")[0] for error in errors) == [
        "fields",
        "ordering",
        "round_min",
        "status",
        "unknown parameter 'x'",
    ]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["rounds/", "rounds/1/", "rounds.csv"])
def test_nothing_can_be_written(ask: Ask, method: str, path: str) -> None:
    answer = ask(path, method)
    assert answer.status == 405
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_an_unacceptable_type_is_406(ask: Ask) -> None:
    answer = ask("rounds/", headers={"accept": "application/xml"})
    assert answer.status == 406
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_busy_database_is_503(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ClientRoundViewSet, "get_queryset", fail)
    for path in ("client-rounds/", "client-rounds.csv"):
        answer = ask(path)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"


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
