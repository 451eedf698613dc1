"""The strategies of a simulation beside each other."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulations.fl.detection import Detection
from simulations.models import RoundMetrics, Simulation, StrategyRun
from simulations.pages.charts import Series
from simulations.pages.run.asked import Asked
from simulations.pages.run.plots import Plot, windows
from simulations.pages.run.plots import context as plot_context

Rows = Sequence[dict[str, Any]]
CURVES = {
    "global_accuracy": "Accuracy on the global test set",
    "global_loss": "Loss on the global test set",
    "average_accuracy": "Average accuracy of benign clients",
    "aggregated_loss": "Aggregated loss of clients",
    "attack_success_rate": "Attack success rate",
    "round_seconds": "Seconds a round",
}
COUNTS = ("tp", "tn", "fp", "fn")
COLUMNS = {
    "Rounds": "{:d}",
    "Accuracy": "{:.4f}",
    "Best accuracy": "{:.4f}",
    "Loss": "{:.4f}",
    "Benign clients": "{:.4f}",
    "Attack success": "{:.4f}",
    "Removal precision": "{:.3f}",
    "Removal recall": "{:.3f}",
    "Seconds a round": "{:.2f}",
}


def context(about: Asked) -> dict[str, Any]:
    rows = _rows(about.row)
    return {
        "headings": list(COLUMNS),
        "compared": [{"run": run, "cells": _cells(run, rows[run.pk])} for run in about.runs],
        **plot_context(_plots(about.runs, rows), about),
    }


def plots(about: Asked) -> list[Plot]:
    """Return the charts of which something was measured, in one query."""
    return _plots(about.runs, _rows(about.row))


def _plots(runs: Sequence[StrategyRun], rows: Mapping[int, Rows]) -> list[Plot]:
    every = (_plot(name, title, runs, rows) for name, title in CURVES.items())
    return [plot for plot in every if plot.is_measured]


def _plot(name: str, title: str, runs: Sequence[StrategyRun], rows: Mapping[int, Rows]) -> Plot:
    """Draw all over the rounds of the longest; attacks are shaded that all strategies share."""
    rounds = sorted({row["round_number"] for run in runs for row in rows[run.pk]})
    series = []
    for run in runs:
        values = {row["round_number"]: row[name] for row in rows[run.pk]}
        label = f"{run.number}: {run.name}" if _is_doubled(run, runs) else run.name
        series.append(Series(label, rounds, [values.get(number) for number in rounds]))
    schedules = [windows(run) for run in runs]
    shared = [one for one in schedules[0] if all(one in other for other in schedules)]
    return Plot(name, title, rounds, series, shared)


def _is_doubled(run: StrategyRun, runs: Sequence[StrategyRun]) -> bool:
    return sum(other.name == run.name for other in runs) > 1


def _cells(run: StrategyRun, rows: Rows) -> list[str]:
    detection = _detection(rows)
    values = (
        run.current_round,
        _last(rows, "global_accuracy"),
        _over(max, rows, "global_accuracy"),
        _last(rows, "global_loss"),
        _last(rows, "average_accuracy"),
        _last(rows, "attack_success_rate"),
        detection and detection.precision,
        detection and detection.recall,
        _over(statistics.median, rows, "round_seconds"),
    )
    forms = zip(values, COLUMNS.values(), strict=True)
    return ["–" if value is None else form.format(value) for value, form in forms]


def _detection(rows: Rows) -> Detection | None:
    """Return the counts over all rounds that have them."""
    counted = [[row[name] for name in COUNTS] for row in rows if row["tp"] is not None]
    return Detection(*map(sum, zip(*counted, strict=True))) if counted else None


def _last(rows: Rows, name: str) -> float | None:
    return next((row[name] for row in reversed(rows) if row[name] is not None), None)


def _over(measure: Callable[[Iterable[float]], float], rows: Rows, name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None]
    return measure(values) if values else None


def _rows(row: Simulation) -> Mapping[int, Rows]:
    """Return the rounds of every strategy, by its primary key."""
    measured = RoundMetrics.objects.filter(strategy_run__simulation=row)
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = ("strategy_run_id", "round_number", *CURVES, *COUNTS)
    for one in measured.order_by("round_number").values(*columns):
        found[one["strategy_run_id"]].append(one)
    return found
