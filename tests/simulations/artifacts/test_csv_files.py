from __future__ import annotations

import csv
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulations.artifacts.build import build

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def tables(simulate: Callable[..., Any], fill: Callable[..., Any]) -> Path:
    simulation = simulate()
    fill(simulation)
    return build(simulation) / "csv"


def test_round_metrics_hold_every_number_in_full_precision(tables: Path) -> None:
    rows = read(tables / "round_metrics_0.csv")
    assert [row["round"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["global_loss"]) for row in rows] == [1 / turn for turn in (1, 2, 3, 4)]
    assert [row["score_calculation_time_ns"] for row in rows][-1] == "4000000"
    assert [row["fp"] for row in rows] == ["0", "1", "0", "0"]
    assert float(rows[1]["removal_precision"]) == 4 / 5


def test_what_was_not_measured_is_an_empty_cell(tables: Path) -> None:
    rows = read(tables / "round_metrics_0.csv")
    assert [row["global_accuracy"] for row in rows] == ["0.1", "0.2", "", "0.4"]
    assert {row["attack_success_rate"] for row in rows} == {""}
    clients = read(tables / "per_client_metrics_0.csv")
    assert [row["client_2_loss"] for row in clients] == ["1.25", "2.25", "", "4.25"]


def test_client_columns_are_named_by_client_and_metric(tables: Path) -> None:
    rows = read(tables / "per_client_metrics_0.csv")
    names = list(rows[0])
    assert names[:2] == ["round", "client_0_loss"]
    assert len(names) == 1 + 5 * 10
    assert [row["client_1_participation"] for row in rows] == ["1", "1", "0", "0"]
    assert [row["client_1_is_malicious"] for row in rows] == ["0", "1", "1", "1"]
    assert {row["client_3_num_examples"] for row in rows} == {"93"}
    assert [float(row["client_4_accuracy"]) for row in rows] == [1 / 6, 1 / 7, 1 / 8, 1 / 9]


def test_exec_stats_are_over_the_rounds_that_may_remove(tables: Path) -> None:
    rows = {row["metric"]: row for row in read(tables / "exec_stats_0.csv")}
    precision = [4 / 5, 1, 1]
    assert float(rows["removal_precision"]["mean"]) == pytest.approx(statistics.fmean(precision))
    assert float(rows["removal_precision"]["std"]) == pytest.approx(statistics.pstdev(precision))
    accuracy = [0.2, 0.4]
    assert float(rows["global_accuracy"]["mean"]) == pytest.approx(statistics.fmean(accuracy))
    assert float(rows["global_accuracy"]["std"]) == pytest.approx(statistics.pstdev(accuracy))
    assert rows["global_accuracy"]["num_rounds"] == "2"
    assert "attack_success_rate" not in rows


def test_without_removal_there_is_no_detection(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate(remove_clients=False)
    fill(simulation)
    tables = build(simulation) / "csv"
    assert "tp" not in read(tables / "round_metrics_0.csv")[0]
    assert not (tables / "exec_stats_0.csv").exists()


def test_lines_end_as_on_unix_and_nothing_is_quoted(tables: Path) -> None:
    for path in tables.iterdir():
        content = path.read_bytes()
        assert b"\r" not in content
        assert b'"' not in content
        assert content.endswith(b"\n")
