"""Plot data and snapshots over HTTP."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from simulations import services
from simulations.models import RoundMetrics, Simulation, StrategyRun
from simulations.plot_data import plot_data

pytestmark = pytest.mark.django_db


def url(row: Simulation, name: str) -> str:
    return f"/api/simulations/{row.simulation_id}/{name}"


@pytest.mark.parametrize("name", ["plot-data", "all-plot-data"])
def test_before_the_first_round_there_is_nothing(
    client: Client, submit: Callable[..., Simulation], name: str
) -> None:
    answer = client.get(url(submit(), name))
    assert answer.status_code == 404
    assert answer.json()["detail"] == "No round of this simulation has finished yet."


def test_the_rounds_finished_so_far_are_served_while_it_runs(
    client: Client, submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    row = submit()
    run = record(row, rounds=2)
    assert client.get(url(row, "plot-data")).json() == plot_data(run)
    assert client.get(url(row, "all-plot-data")).json() == {
        "strategies": [{"strategy_number": 0, "data": plot_data(run)}]
    }


def test_all_strategies_with_rounds_are_served(
    client: Client, db: None, record: Callable[..., StrategyRun]
) -> None:
    entry = {"aggregation_strategy_keyword": "fedavg"}
    row = services.create(
        {
            "shared_settings": {"num_of_rounds": 2, "dataset_keyword": "digits"},
            "simulation_strategies": [entry, {**entry, "seed": 1}, {**entry, "seed": 2}],
        }
    ).simulation
    record(row, rounds=2, number=2)
    record(row, rounds=1, number=1)
    numbers = [
        one["strategy_number"] for one in client.get(url(row, "all-plot-data")).json()["strategies"]
    ]
    assert numbers == [1, 2]
    assert client.get(url(row, "plot-data")).json()["strategy_number"] == 1


def test_infinite_numbers_are_null(
    client: Client, submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    row = submit()
    record(row, rounds=1)
    RoundMetrics.objects.update(global_loss=math.inf)
    answer = client.get(url(row, "plot-data"))
    assert b"Infinity" not in answer.content
    assert answer.json()["round_metrics"]["global_loss_history"] == [None]


def test_a_run_without_snapshots_says_so(client: Client, submit: Callable[..., Simulation]) -> None:
    answer: Any = client.get(url(submit(), "attack-snapshots"))
    assert answer.json() == {"has_snapshots": False, "strategies": []}
