"""What cannot be asked is refused with what can."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from simulations.models import Simulation
from simulations.query.views import ClientRoundViewSet
from tests.simulations.query.asking import Ask


def refusals(ask: Ask, path: str, **query: Any) -> list[str]:
    answer = ask(path, **query)
    assert answer.status == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["detail"].startswith("The request is not valid: ")
    errors: list[str] = body["errors"]
    return errors


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
