"""The charts of one strategy, with the rounds of its attacks shaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulations.models import StrategyRun
from simulations.pages.charts import Chart, Series, line_chart

CHARTS = {
    "Accuracy": {"global_accuracy": "global test set", "average_accuracy": "benign clients"},
    "Loss": {"global_loss": "global test set", "aggregated_loss": "clients"},
    "Attack success rate": {"attack_success_rate": "attack success rate"},
    "Seconds": {"round_seconds": "round"},
}


def round_charts(run: StrategyRun, rounds: Sequence[dict[str, Any]]) -> list[Chart]:
    """Return a chart for each subject of which something was measured."""
    numbers = [row["round_number"] for row in rounds]
    windows = _windows(run, max(numbers, default=0))
    charts = []
    for title, lines in CHARTS.items():
        columns = {name: [row[column] for row in rounds] for column, name in lines.items()}
        series = [Series(name, numbers, values) for name, values in columns.items()]
        charts.append(line_chart(title, series, windows))
    return [chart for chart in charts if chart is not None]


def _windows(run: StrategyRun, last: int) -> list[tuple[str, int, int]]:
    """Return the attacks that have begun, cut at the last round."""
    return [
        (entry["attack_type"], entry["start_round"], min(entry["end_round"], last))
        for entry in run.config.get("attack_schedule") or ()
        if entry["start_round"] <= last
    ]
