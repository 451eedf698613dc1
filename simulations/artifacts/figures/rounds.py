"""Figures of one strategy's rounds."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from simulations.artifacts import style
from simulations.artifacts.figures import drawing
from simulations.artifacts.measurements import Measurements


def global_model(measured: Measurements) -> Figure | None:
    """Accuracy (and attack success, where it is defined) and loss of the global model."""
    if not _has(measured, "global_accuracy", "global_loss"):
        return None
    made, (left, right) = drawing.figure(panels=2)
    entries = drawing.shade(left, measured.attacks, measured.rounds)
    drawing.shade(right, measured.attacks, measured.rounds)
    accuracy = _percent_line(left, measured, "global_accuracy", 0)
    names = [(accuracy, "global model")]
    if _has(measured, "attack_success_rate"):
        names.append((_percent_line(left, measured, "attack_success_rate", 1), "attack success"))
    drawing.line(right, measured.rounds, measured.of_rounds["global_loss"], style.line_style(0))
    drawing.over_rounds(left, measured.rounds, "Test accuracy (%)")
    drawing.over_rounds(right, measured.rounds, "Test loss")
    if _has(measured, "global_loss") and drawing.is_wide([measured.of_rounds["global_loss"]]):
        drawing.logarithmic(right)
    left.set_ylim(-2, 102)
    drawing.legend(made, names + entries if len(names) > 1 else entries)
    return made


def average_accuracy(measured: Measurements) -> Figure | None:
    """Average accuracy of the benign clients in the aggregate, with a band of one deviation."""
    if not _has(measured, "average_accuracy"):
        return None
    made, (axes,) = drawing.figure()
    entries = drawing.shade(axes, measured.attacks, measured.rounds)
    mean = 100 * measured.of_rounds["average_accuracy"]
    deviation = 100 * measured.of_rounds["average_accuracy_std"]
    band = axes.fill_between(
        measured.rounds,
        np.clip(mean - deviation, 0, 100),
        np.clip(mean + deviation, 0, 100),
        color=style.SKY,
        alpha=0.35,
        linewidth=0,
    )
    drawn = drawing.line(axes, measured.rounds, mean, style.line_style(0))
    drawing.over_rounds(axes, measured.rounds, "Client accuracy (%)")
    axes.set_ylim(-2, 102)
    drawing.legend(made, [(drawn, "mean"), (band, "± 1 std"), *entries])
    return made


def score_time(measured: Measurements) -> Figure | None:
    """Time that the strategy took to score and aggregate."""
    if not _has(measured, "score_calculation_time_ns"):
        return None
    made, (axes,) = drawing.figure()
    milliseconds = measured.of_rounds["score_calculation_time_ns"] / 1e6
    drawing.line(axes, measured.rounds, milliseconds, style.line_style(0))
    drawing.over_rounds(axes, measured.rounds, "Score calculation (ms)")
    axes.set_ylim(bottom=0)
    return made


def detection(measured: Measurements) -> Figure | None:
    """How well removal told malicious clients from benign ones: rates, and what went wrong."""
    if not measured.removes or not _has(measured, "removal_accuracy"):
        return None
    made, (left, right) = drawing.figure(panels=2)
    entries: list[drawing.Entry] = []
    for place, rate in enumerate(("accuracy", "precision", "recall", "f1")):
        drawn = _percent_line(left, measured, f"removal_{rate}", place)
        entries.append((drawn, "F1" if rate == "f1" else rate))
    for place, (count, text) in enumerate(
        (("fp", "malicious, aggregated"), ("fn", "benign, left out")), start=4
    ):
        values = measured.of_rounds[count]
        entries.append(
            (drawing.line(right, measured.rounds, values, style.line_style(place)), text)
        )
    begin = measured.removes_from
    for axes in (left, right):
        axes.axvline(begin, color=style.BLACK, linewidth=0.8, linestyle=(0, (1, 1.5)))
    entries.append((_removal_begins(), "removal begins"))
    drawing.over_rounds(left, measured.rounds, "Detection (%)")
    drawing.over_rounds(right, measured.rounds, "Clients")
    left.set_ylim(-2, 102)
    right.set_ylim(-0.2, max(1.2, right.get_ylim()[1]))
    right.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    drawing.legend(made, entries)
    return made


def _percent_line(axes: Axes, measured: Measurements, column: str, place: int) -> Line2D:
    values = 100 * measured.of_rounds[column]
    return drawing.line(axes, measured.rounds, values, style.line_style(place))


def _removal_begins() -> Line2D:
    return Line2D([], [], color=style.BLACK, linewidth=0.8, linestyle=(0, (1, 1.5)))


def _has(measured: Measurements, *columns: str) -> bool:
    return any(not np.isnan(measured.of_rounds[column]).all() for column in columns)
