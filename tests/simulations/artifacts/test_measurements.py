from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simulations.artifacts.measurements import measure
from simulations.models import ClientRound


def test_rows_become_arrays_by_round_and_client(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    measured = measure(fill(simulate(), missing=()))
    assert measured.rounds.tolist() == [1, 2, 3, 4]
    assert measured.clients.tolist() == [0, 1, 2, 3, 4]
    assert measured.of_rounds["global_accuracy"].tolist() == [0.1, 0.2, 0.3, 0.4]
    expected = [[turn + client / 8 for client in range(5)] for turn in (1, 2, 3, 4)]
    assert measured.of_clients["loss"].tolist() == expected


def test_what_was_not_measured_is_nan_and_the_final_value_is_the_last_measured(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    measured = measure(fill(simulate(), rounds=3))
    assert math.isnan(measured.of_rounds["global_accuracy"][2])
    assert measured.final("global_accuracy") == 0.2
    assert np.isnan(measured.of_clients["loss"][2]).all()
    assert math.isnan(measured.final("attack_success_rate"))


def test_a_client_without_a_row_in_a_round_is_nan(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    run = fill(simulate(), missing=())
    ClientRound.objects.filter(strategy_run=run, round_number=2, client_id=3).delete()
    losses = measure(run).of_clients["loss"]
    assert np.argwhere(np.isnan(losses)).tolist() == [[1, 3]]


def test_client_rows_of_a_round_that_is_being_recorded_are_left_out(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    run = fill(simulate(), missing=())
    run.rounds.filter(round_number=4).delete()
    measured = measure(run)
    assert measured.of_clients["loss"].shape == (3, 5)


def test_attackers_and_removals_are_found(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    measured = measure(fill(simulate()))
    assert measured.malicious.tolist() == [False, True, False, False, False]
    assert measured.removals == [(2, 1)]
    assert [(a.attack_type, a.first, a.last) for a in measured.attacks] == [
        ("gradient_scaling", 2, 4)
    ]


def test_detection_rates_follow_from_the_counts(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    measured = measure(fill(simulate()))
    assert measured.of_rounds["removal_precision"].tolist() == [1.0, 4 / 5, 1.0, 1.0]
    assert measured.of_rounds["removal_accuracy"].tolist() == [1.0, 4 / 5, 1.0, 1.0]


def test_a_strategy_without_rounds_is_empty(simulate: Callable[..., Any]) -> None:
    measured = measure(simulate().strategies.get())
    assert measured.rounds.shape == (0,)
    assert measured.of_clients["loss"].shape == (0, 0)
