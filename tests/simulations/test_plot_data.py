"""The data of the charts has the shape that clients rely on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun
from simulations.plot_data import plot_data

pytestmark = pytest.mark.django_db


def test_a_strategy_without_removal(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    data = plot_data(record(submit(), rounds=2, clients=2))
    silent = {"removal_criterion_history": [None, None], "absolute_distance_history": [None, None]}
    assert data == {
        "strategy_number": 0,
        "rounds": [1, 2],
        "per_client_metrics": [
            {
                "client_id": 0,
                "is_malicious": False,
                "metrics": {
                    **silent,
                    "loss_history": [1.0, 2.0],
                    "accuracy_history": [None, None],
                    "aggregation_participation_history": [1, 1],
                },
            },
            {
                "client_id": 1,
                "is_malicious": True,
                "metrics": {
                    **silent,
                    "loss_history": [1.1, 2.1],
                    "accuracy_history": [None, None],
                    "aggregation_participation_history": [0, 0],
                },
            },
        ],
        "removal_threshold_history": None,
        "round_metrics": {
            "aggregated_loss_history": [1.0, 0.5],
            "average_accuracy_history": [0.51, 0.52],
            "average_accuracy_std_history": [None, None],
            "score_calculation_time_nanos_history": [None, None],
            "global_accuracy_history": [None, None],
            "global_loss_history": [None, None],
            "attack_success_rate_history": None,
        },
    }


def test_removal_adds_the_threshold_and_the_rates(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    row = submit()
    run = record(row, rounds=1, tp=6, tn=2, fp=1, fn=3, removal_threshold=0.5)
    run.config["remove_clients"] = True
    data = plot_data(run)
    assert data["removal_threshold_history"] == [0.5]
    rates = {
        name: values
        for name, values in data["round_metrics"].items()
        if name.split("_")[0] in ("tp", "tn", "fp", "fn", "removal")
    }
    assert rates == {
        "tp_history": [6],
        "tn_history": [2],
        "fp_history": [1],
        "fn_history": [3],
        "removal_accuracy_history": [8 / 12],
        "removal_precision_history": [6 / 7],
        "removal_recall_history": [6 / 9],
        "removal_f1_history": [12 / 16],
    }


def test_a_round_without_counts_has_no_rates(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    run = record(submit(), rounds=2)
    RoundMetrics.objects.filter(round_number=2).update(tp=0, tn=0, fp=0, fn=0)
    run.config["remove_clients"] = True
    data = plot_data(run)["round_metrics"]
    assert data["removal_accuracy_history"] == [None, None]
    assert data["tp_history"] == [None, 0]


def test_a_client_that_missed_a_round_leaves_a_gap(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    run = record(submit(), rounds=3)
    ClientRound.objects.filter(client_id=2, round_number=2).delete()
    [*_, last] = plot_data(run)["per_client_metrics"]
    assert last["metrics"]["loss_history"] == [1.2, None, 3.2]


def test_two_queries_are_enough(
    submit: Callable[..., Simulation],
    record: Callable[..., StrategyRun],
    django_assert_num_queries: Any,
) -> None:
    run = record(submit(), rounds=20, clients=20)
    with django_assert_num_queries(2):
        plot_data(run)
