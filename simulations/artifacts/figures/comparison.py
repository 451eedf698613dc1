"""Figures that compare the strategies of one simulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulations.artifacts import style
from simulations.artifacts.figures import drawing
from simulations.artifacts.measurements import Array, AttackWindow, Measurements

Strategies = Sequence[Measurements]


def accuracy(strategies: Strategies) -> Figure | None:
    """Accuracy of the global model on the test set."""
    return _compare(strategies, "global_accuracy", "Test accuracy (%)", 100)


def loss(strategies: Strategies) -> Figure | None:
    """Loss of the global model on the test set, logarithmic if one strategy diverges."""
    return _compare(strategies, "global_loss", "Test loss", log_if_wide=True)


def average_accuracy(strategies: Strategies) -> Figure | None:
    """Average accuracy of the benign clients in the aggregate."""
    return _compare(strategies, "average_accuracy", "Average client accuracy (%)", 100)


def attack_success(strategies: Strategies) -> Figure | None:
    """Share of the attack's test samples that the global model gets wrong as the attack wants."""
    return _compare(strategies, "attack_success_rate", "Attack success rate (%)", 100)


def detection_f1(strategies: Strategies) -> Figure | None:
    """F1 of keeping benign clients and leaving out malicious ones."""
    removing = [strategy for strategy in strategies if strategy.removes]
    return _compare(removing, "removal_f1", "Detection F1 (%)", 100)


def score_time(strategies: Strategies) -> Figure | None:
    """Time that each strategy took to score and aggregate."""
    label = "Score calculation (ms)"
    return _compare(strategies, "score_calculation_time_ns", label, 1e-6, log_if_wide=True)


def _compare(
    strategies: Strategies,
    column: str,
    ylabel: str,
    factor: float = 1.0,
    log_if_wide: bool = False,
) -> Figure | None:
    shown = [s for s in strategies if not np.isnan(s.of_rounds[column]).all()]
    if not shown:
        return None
    made, (axes,) = drawing.figure()
    made.set_size_inches(style.COMPARISON)
    longest = max(shown, key=lambda strategy: int(strategy.rounds[-1])).rounds
    windows = drawing.shade(axes, _windows(shown), longest)
    entries: list[drawing.Entry] = []
    marks: dict[str, drawing.Entry] = {}
    for strategy in shown:
        values = factor * strategy.of_rounds[column]
        look = style.line_style(strategy.number)
        drawn = drawing.line(axes, strategy.rounds, values, look)
        entries.append((drawn, style.label(strategy.name)))
        marks |= _mark_removals(axes, strategy, values, look)
    drawing.over_rounds(axes, longest, ylabel)
    if log_if_wide and drawing.is_wide([s.of_rounds[column] for s in shown]):
        drawing.logarithmic(axes)
    if factor == 100:
        axes.set_ylim(-2, 102)
    drawing.legend(made, [*entries, *(marks[text] for text in sorted(marks)), *windows])
    return made


def _windows(strategies: Strategies) -> list[AttackWindow]:
    return list(dict.fromkeys(window for strategy in strategies for window in strategy.attacks))


def _mark_removals(
    axes: Axes, strategy: Measurements, values: Array, look: style.LineStyle
) -> dict[str, drawing.Entry]:
    """Mark the rounds in which clients were removed, right or wrong ones apart."""
    marks: dict[str, drawing.Entry] = {}
    for is_malicious, marker, text in (
        (True, "x", "malicious client removed"),
        (False, "o", "benign client removed"),
    ):
        at = [r for r, who in strategy.removals if bool(strategy.malicious[who]) is is_malicious]
        if not at:
            continue
        places = np.unique(at)
        (drawn,) = axes.plot(
            strategy.rounds[places],
            values[places],
            linestyle="none",
            marker=marker,
            markersize=8,
            markeredgewidth=1.3,
            markeredgecolor=style.BLACK,
            markerfacecolor="none",
            zorder=5,
        )
        marks[text] = (drawn, text)
    return marks
