"""The page of one simulation: header, tabs, forms; constant numbers of queries for each tab."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from simulations import services
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun
from simulations.pages.run.page import TABS

ATTACK = {
    "attack_type": "gradient_scaling",
    "scale_factor": -5.0,
    "start_round": 2,
    "end_round": 3,
    "selection_strategy": "specific",
    "malicious_client_ids": [1],
}
EVIL = "</script><img src=x onerror=alert(1)>"
Submit = Callable[..., Simulation]
Record = Callable[..., StrategyRun]
pytestmark = pytest.mark.django_db


def address(row: Simulation, tab: str = "", **query: Any) -> str:
    parts = {**({"tab": tab} if tab else {}), **query}
    text = "&".join(f"{name}={value}" for name, value in parts.items())
    return f"/simulations/{row.simulation_id}/{f'?{text}' if text else ''}"


def shown(client: Client, row: Simulation, tab: str = "", **query: Any) -> str:
    answer = client.get(address(row, tab, **query))
    assert answer.status_code == 200
    return answer.content.decode()


def plots(text: str) -> dict[str, Any]:
    found = re.search(r'<script id="charts-data" type="application/json">(.*?)</script>', text)
    assert found
    return {plot["name"]: plot for plot in json.loads(found[1])}


@pytest.fixture
def two(db: None, record: Record) -> Simulation:
    """Return a simulation of two strategies with three rounds each, in which client 1 attacks."""
    row = services.create(
        {
            "shared_settings": {
                "num_of_rounds": 3,
                "num_of_clients": 3,
                "dataset_keyword": "digits",
                "attack_schedule": [ATTACK],
            },
            "simulation_strategies": [
                {"aggregation_strategy_keyword": "fedavg"},
                {"aggregation_strategy_keyword": "pid", "remove_clients": True},
            ],
        }
    ).simulation
    for number in (0, 1):
        record(row, rounds=3, number=number, global_accuracy=0.5 + number / 10)
    return row


@pytest.mark.parametrize("tab", TABS)
def test_the_number_of_queries_does_not_grow_with_what_is_shown(
    client: Client, submit: Submit, record: Record, tab: str
) -> None:
    counts = []
    for clients, rounds in ((3, 1), (40, 3)):
        row = submit(num_of_clients=clients, remove_clients=True)
        record(row, rounds=rounds, clients=clients, removal_threshold=1.0)
        ClientRound.objects.filter(round_number=rounds, client_id__lt=clients // 2).update(
            is_removed=True
        )
        with CaptureQueriesContext(connection) as queries:
            shown(client, row, tab)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_is_a_link_and_marked_where_it_is(
    client: Client, two: Simulation, tab: str
) -> None:
    text = shown(client, two, tab)
    current = re.findall(r'<a href="\?tab=(\w+)[^"]*" aria-current="page">', text)
    assert current == [tab]
    assert set(re.findall(r'<a href="\?tab=(\w+)', text)) >= set(TABS)


@pytest.mark.parametrize("tab", TABS)
def test_a_simulation_that_waits_has_all_tabs(client: Client, submit: Submit, tab: str) -> None:
    assert "Number 1 in the queue" in shown(client, submit(), tab)


@pytest.mark.parametrize(
    "query", ["tab=none", "strategy=9", "strategy=-1", "page=99999999", "clients=x,999", "sort=no"]
)
def test_odd_queries_show_the_page(client: Client, two: Simulation, query: str) -> None:
    for tab in TABS:
        assert client.get(f"{address(two, tab)}&{query}").status_code == 200


def test_what_users_write_is_inert_in_every_tab(
    client: Client, submit: Submit, record: Record, out_dir: Path
) -> None:
    row = submit(display_name=EVIL, notes=EVIL, tags=[EVIL], strategy_name=EVIL)
    record(row, rounds=2)
    (out_dir / row.simulation_id / "output.log").write_text(f"2026-01-01T00:00:00 INFO {EVIL}\n")
    (out_dir / row.simulation_id / "evil.txt").write_text(EVIL)
    for tab in TABS:
        text = shown(client, row, tab, search=EVIL, clients=EVIL, file="evil.txt")
        assert "<img src=x" not in text, tab
        assert "onerror" in text


def test_without_scripts_the_page_is_loaded_again_only_while_it_runs(
    client: Client, submit: Submit, end: Callable[..., Simulation]
) -> None:
    row = submit()
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in shown(client, row) and "data-stream" in shown(client, row)
    end(row)
    assert refresh not in shown(client, row) and "data-stream" not in shown(client, row)


def test_the_time_left_follows_from_the_simulations_own_rounds(
    client: Client, submit: Submit, record: Record
) -> None:
    row = submit(num_of_rounds=100)
    assert "time left not known" in shown(client, row)
    record(row, rounds=10, round_seconds=30.0)
    Simulation.objects.filter(pk=row.pk).update(rounds_done=10, status="running")
    assert "about 45 min left" in shown(client, row)
    Simulation.objects.filter(pk=row.pk).update(rounds_done=100)
    assert "writing its files" in shown(client, row)


def test_a_finished_simulation_is_deleted_by_way_of_the_question(
    client: Client, submit: Submit, end: Callable[..., Simulation]
) -> None:
    row = submit()
    assert 'value="delete"' not in shown(client, row)
    end(row)
    assert 'value="delete"' in shown(client, row)
    data = {"action": "delete", "simulation_id": row.simulation_id}
    assert "for good?" in client.post("/simulations/selected/", data).content.decode()
    assert Simulation.objects.filter(pk=row.pk).exists()


def test_labels_are_saved_and_shown(client: Client, submit: Submit) -> None:
    row = submit(display_name="Old", tags=["kept", "dropped"])
    data = {"display_name": " New ", "tags": "kept, fresh,, kept", "notes": "one\r\ntwo"}
    answer = client.post(f"{address(row)}labels/", data, follow=True)
    row.refresh_from_db()
    assert (row.display_name, row.notes) == ("New", "one\ntwo")
    assert sorted(row.tags.values_list("name", flat=True)) == ["fresh", "kept"]
    assert "<h1>New</h1>" in answer.content.decode() and "one<br>two" in answer.content.decode()


def test_wrong_labels_are_told_beside_their_fields_and_nothing_is_lost(
    client: Client, submit: Submit
) -> None:
    row = submit(display_name="Old", tags=["a"])
    data = {"display_name": "n" * 101, "tags": "t" * 51, "notes": "kept text"}
    answer = client.post(f"{address(row)}labels/", data, headers={"accept": "text/html"})
    text = answer.content.decode()
    assert answer.status_code == 422
    for problem in ("at most 100 characters", "at most 50 characters"):
        assert problem in text
    assert "kept text" in text and "n" * 101 in text and text.count('aria-invalid="true"') == 2
    row.refresh_from_db()
    assert row.display_name == "Old"


def test_how_to_run_it_again_is_told_as_commands(
    client: Client, submit: Submit, out_dir: Path
) -> None:
    row = submit(seed=11)
    text = unescape(shown(client, row))
    results = f"http://testserver/api/simulations/{row.simulation_id}"
    assert f"curl -o config.json {results}/config" in text
    assert "python manage.py run_simulation config.json --set seed=11" in text
    folder = out_dir / row.simulation_id
    (folder / "resolved_config.json").write_text("{}")
    manifest = {"versions": {"torch": "9.8.7"}, "hardware": {"device": "cpu"}, "git_commit": "abc"}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    Simulation.objects.filter(pk=row.pk).update(status="running")
    text = shown(client, row)
    assert f"curl -o resolved_config.json {results}/results/resolved_config.json" in text
    assert "run_simulation resolved_config.json<" in text.replace("\n", "<") and "--set" not in text
    assert "torch 9.8.7" in text and "abc" in text


def test_the_charts_have_values_windows_threshold_and_clients(
    client: Client, two: Simulation
) -> None:
    RoundMetrics.objects.filter(strategy_run__number=1).update(removal_threshold=0.75)
    ClientRound.objects.update(removal_criterion=0.5)
    found = plots(shown(client, two, "metrics", strategy=1))
    accuracy = found["accuracy"]
    assert accuracy["rounds"] == [1, 2, 3] and accuracy["windows"] == [["gradient_scaling", 2, 3]]
    assert accuracy["series"][0]["values"] == [0.6, 0.6, 0.6]
    roles = [(one["name"], one["role"]) for one in found["client_score"]["series"]]
    assert roles == [
        ("client 0", ""),
        ("client 1", "attacker"),
        ("client 2", ""),
        ("threshold", "threshold"),
    ]
    assert found["client_score"]["series"][-1]["values"] == [0.75] * 3
    losses = {one["name"]: one["values"] for one in found["client_loss"]["series"]}
    assert losses["client 2"] == [1.2, 2.2, 3.2]
    chosen = plots(shown(client, two, "metrics", strategy=1, clients="0, 2-9"))
    assert [one["name"] for one in chosen["client_loss"]["series"]] == ["client 0", "client 2"]


def test_the_charts_are_drawn_without_scripts_too(client: Client, two: Simulation) -> None:
    text = shown(client, two, "metrics")
    assert 'aria-label="Accuracy by round"' in text and 'class="band"' in text


def test_a_chart_is_given_as_csv(client: Client, two: Simulation) -> None:
    folder = f"/simulations/{two.simulation_id}/charts"
    answer = client.get(f"{folder}/metrics/client_loss.csv?strategy=1&clients=0,2")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode() == "round,client 0,client 2\n1,1.0,1.2\n2,2.0,2.2\n3,3.0,3.2\n"
    answer = client.get(f"{folder}/strategies/global_accuracy.csv")
    assert answer.content.decode().splitlines()[:2] == ["round,fedavg,pid", "1,0.5,0.6"]
    for wrong in ("metrics/none", "none/accuracy", "metrics/attack_success"):
        assert client.get(f"{folder}/{wrong}.csv").status_code == 404


def test_long_runs_of_many_clients_are_thinned_out(
    client: Client, submit: Submit, record: Record
) -> None:
    row = submit(num_of_rounds=600, num_of_clients=30, attack_schedule=[ATTACK])
    record(row, rounds=600, clients=0)
    found = plots(shown(client, row))
    ClientRound.objects.create(
        strategy_run=row.strategies.get(),
        round_number=600,
        client_id=0,
        loss=0.5,
        participated=True,
        is_malicious=False,
        is_removed=False,
        num_examples=1,
    )
    found = plots(shown(client, row))
    assert len(found["accuracy" if "accuracy" in found else "loss"]["rounds"]) == 600
    drawn = found["client_loss"]
    assert (drawn["rounds"][0], drawn["rounds"][-1], len(drawn["rounds"])) == (1, 600, 250)
    names = [one["name"] for one in drawn["series"]]
    assert len(names) == 10 and "client 1" in names


def test_strategies_are_compared_in_a_table_and_overlaid(client: Client, two: Simulation) -> None:
    RoundMetrics.objects.filter(strategy_run__number=1).update(tp=2, tn=1, fp=1, fn=0)
    StrategyRun.objects.update(current_round=3)
    text = shown(client, two, "strategies")
    found = plots(text)["global_accuracy"]
    assert [one["name"] for one in found["series"]] == ["fedavg", "pid"]
    assert found["windows"] == [["gradient_scaling", 2, 3]]
    row = text[text.index(">pid</a></th>") :].split("</tr>")[0]
    cells = re.findall(r'<td class="number">(.*?)</td>', row)
    assert cells[:3] == ["3", "0.6000", "0.6000"]
    assert cells[6:8] == ["0.667", "1.000"]
