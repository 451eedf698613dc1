"""What came out: one row a strategy, for the LaTeX table and the report alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from simulations.artifacts.csv_files import removing_rounds
from simulations.artifacts.latex import Cell, Table
from simulations.artifacts.measurements import Measurements

NOTHING = "–"
WAIVED = "†"
WAIVED_NOTE = "† ran outside the bound on n and f that its rule is proven for (waive_preconditions)"


@dataclass(frozen=True)
class Column:
    """A number of a strategy: how it is measured and written, and which end is the good one."""

    heading: str
    value: Callable[[Measurements], float]
    write: Callable[[Measurements], str]
    good: Literal["high", "low"] | None = None


def _final(column: str) -> Callable[[Measurements], float]:
    return lambda measured: measured.final(column)


def _percent(column: str) -> Callable[[Measurements], str]:
    return lambda measured: f"{100 * measured.final(column):.2f}"


def _number(column: str) -> Callable[[Measurements], str]:
    return lambda measured: f"{measured.final(column):.4g}"


def _mean(column: str) -> Callable[[Measurements], float]:
    def mean(measured: Measurements) -> float:
        values = removing_rounds(measured, column) if measured.removes else ()
        return float(values.mean()) if len(values) else math.nan  # type: ignore[union-attr]

    return mean


def _mean_and_std(column: str) -> Callable[[Measurements], str]:
    def write(measured: Measurements) -> str:
        values = removing_rounds(measured, column)
        return f"{100 * values.mean():.1f} ± {100 * values.std():.1f}"

    return write


def _average_accuracy(measured: Measurements) -> str:
    mean, std = measured.final("average_accuracy"), measured.final("average_accuracy_std")
    return f"{100 * mean:.2f}" + ("" if math.isnan(std) else f" ± {100 * std:.2f}")


COLUMNS = (
    Column(
        "Test accuracy (%)", _final("global_accuracy"), _percent("global_accuracy"), good="high"
    ),
    Column("Test loss", _final("global_loss"), _number("global_loss"), good="low"),
    Column("Client accuracy (%)", _final("average_accuracy"), _average_accuracy),
    Column("Client loss", _final("aggregated_loss"), _number("aggregated_loss")),
    Column(
        "Attack success (%)", _final("attack_success_rate"), _percent("attack_success_rate"), "low"
    ),
    Column(
        "Detection precision (%)", _mean("removal_precision"), _mean_and_std("removal_precision")
    ),
    Column("Detection recall (%)", _mean("removal_recall"), _mean_and_std("removal_recall")),
    Column("Detection F1 (%)", _mean("removal_f1"), _mean_and_std("removal_f1")),
)


def table(strategies: Sequence[Measurements]) -> Table:
    """Return the last measured numbers; detection is averaged over the rounds that may remove.

    Columns of which nothing was measured are left out; the best of several strategies is marked.
    """
    shown = [one for one in COLUMNS if not all(math.isnan(one.value(s)) for s in strategies)]
    best = [_best(one, strategies) for one in shown]
    rows = [
        [
            Cell(name(strategy)),
            Cell(str(len(strategy.rounds))),
            *(_cell(one, strategy, top) for one, top in zip(shown, best, strict=True)),
        ]
        for strategy in strategies
    ]
    notes = [WAIVED_NOTE] if any(_is_waived(strategy) for strategy in strategies) else []
    return Table(["Strategy", "Rounds", *(one.heading for one in shown)], rows, notes)


def name(strategy: Measurements) -> str:
    return strategy.name + (WAIVED if _is_waived(strategy) else "")


def _cell(column: Column, strategy: Measurements, best: float | None) -> Cell:
    value = column.value(strategy)
    if math.isnan(value):
        return Cell(NOTHING)
    return Cell(column.write(strategy), is_best=value == best)


def _best(column: Column, strategies: Sequence[Measurements]) -> float | None:
    values = [value for value in map(column.value, strategies) if not math.isnan(value)]
    if column.good is None or len(strategies) < 2 or not values:
        return None
    return max(values) if column.good == "high" else min(values)


def _is_waived(strategy: Measurements) -> bool:
    return bool(strategy.config.get("waive_preconditions"))
