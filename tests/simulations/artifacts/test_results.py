from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulations.artifacts import results, settings_table
from simulations.artifacts.measurements import measure
from simulations.models import RoundMetrics, StrategyRun


def texts(rows: Any) -> list[list[str]]:
    return [[cell.text for cell in row] for row in rows]


def test_the_last_measured_numbers_are_shown_with_detection_over_the_removing_rounds(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    table = results.table([measure(fill(simulate()))])
    assert table.headings == [
        "Strategy",
        "Rounds",
        "Test accuracy (%)",
        "Test loss",
        "Client accuracy (%)",
        "Client loss",
        "Detection precision (%)",
        "Detection recall (%)",
        "Detection F1 (%)",
    ]
    detection = ["93.3 ± 9.4", "100.0 ± 0.0", "96.3 ± 5.2"]
    # Precision 4/5, 1, 1 and F1 8/9, 1, 1 in rounds 2 to 4.
    assert texts(table.rows) == [["krum", "4", "40.00", "0.25", "50.00 ± 6.25", "0.5", *detection]]
    assert not any(cell.is_best for cell in table.rows[0])


def test_the_best_of_several_strategies_is_marked_and_gaps_are_dashes(
    compare: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = compare(
        {"aggregation_strategy_keyword": "krum"}, {"aggregation_strategy_keyword": "pid"}
    )
    runs = [fill(simulation, number=0), fill(simulation, number=1)]
    RoundMetrics.objects.filter(strategy_run=runs[1], round_number=4).update(global_accuracy=0.9)
    RoundMetrics.objects.filter(strategy_run=runs[0]).update(global_loss=None)
    rows = results.table([measure(run) for run in runs]).rows
    assert [cell.text for cell in rows[0]][2:4] == ["40.00", "–"]
    assert [cell.text for cell in rows[1]][2:4] == ["90.00", "0.25"]
    assert [[cell.is_best for cell in row][2:4] for row in rows] == [[False, False], [True, True]]


def test_a_waived_precondition_is_marked_in_every_table(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate(waive_preconditions=True, num_of_malicious_clients=2)
    measured = measure(fill(simulation))
    table = results.table([measured])
    assert table.rows[0][0].text == "krum†"
    assert table.notes == [results.WAIVED_NOTE]
    assert settings_table.table([measured]).headings[1] == "krum†"


def test_settings_that_differ_are_listed(compare: Callable[..., Any]) -> None:
    simulation = compare(
        {"aggregation_strategy_keyword": "pid", "Kp": 2.0},
        {"aggregation_strategy_keyword": "pid", "Kp": 3.0, "attack_schedule": []},
    )
    strategies = [measure(run) for run in simulation.strategies.order_by("number")]
    table = settings_table.table(strategies)
    attack = "gradient_scaling (scale_factor=-5.0), rounds 2–4, client 1"
    assert texts(table.rows) == [
        ["num_of_malicious_clients", "1", "0"],
        ["Kp", "2.0", "3.0"],
        ["attack_schedule", attack, "–"],
    ]


def test_settings_of_a_single_strategy_are_those_not_at_default(
    simulate: Callable[..., Any],
) -> None:
    names = {row[0].text for row in settings_table.table([_measured(simulate())]).rows}
    assert {"aggregation_strategy_keyword", "remove_clients", "num_of_clients", "seed"} <= names
    assert "batch_size" not in names
    assert "begin_removing_from_round" not in names


def test_many_attackers_are_counted() -> None:
    entry = {
        "attack_type": "label_flipping",
        "start_round": 1,
        "end_round": 9,
        "selected_client_ids": list(range(9)),
    }
    assert settings_table.describe_attack(entry) == "label_flipping, rounds 1–9, 9 clients"


def _measured(simulation: Any) -> Any:
    return measure(StrategyRun.objects.get(simulation=simulation))
