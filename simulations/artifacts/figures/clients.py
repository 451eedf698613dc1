"""Figures with a line or a row for each client of one strategy.

A few clients have a line style each; more of them share one colour for benign and one for
malicious, and of very many only the median and bands are shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from simulations.artifacts import style
from simulations.artifacts.figures import drawing
from simulations.artifacts.measurements import Array, Measurements

OWN_LINE_UP_TO = 8
LINES_UP_TO = 50
NAMED_UP_TO = 6
STATES = (
    ("#BFE0F5", "benign, aggregated"),
    ("#F2F2F2", "benign, not aggregated"),
    (style.VERMILLION, "malicious, aggregated"),
    ("#4A4A4A", "malicious, not aggregated"),
)


def loss(measured: Measurements) -> Figure | None:
    """Loss of the new global model on each client's validation share."""
    return _lines(measured, "loss", "Client loss")


def accuracy(measured: Measurements) -> Figure | None:
    """Accuracy of the new global model on each client's validation share."""
    return _lines(measured, "accuracy", "Client accuracy (%)", factor=100)


def absolute_distance(measured: Measurements) -> Figure | None:
    """Distance of each client's parameters from the centroid of all."""
    return _lines(measured, "absolute_distance", "Distance to the centroid (L2)")


def removal_criterion(measured: Measurements) -> Figure | None:
    """The score by which the strategy judges clients, with its threshold."""
    threshold = measured.of_rounds["removal_threshold"]
    return _lines(measured, "removal_criterion", "Removal criterion", threshold=threshold)


def participation(measured: Measurements) -> Figure | None:
    """Who was in the aggregate of each round, and who should have been."""
    took_part = measured.of_clients["participated"]
    if np.isnan(took_part).all():
        return None
    made, (axes,) = drawing.figure()
    states = 2 * measured.of_clients["is_malicious"] + (1 - took_part)
    axes.pcolormesh(
        _edges(measured.rounds),
        np.arange(len(measured.clients) + 1) - 0.5,
        np.ma.masked_invalid(states.T),
        cmap=ListedColormap([color for color, _ in STATES]),
        vmin=-0.5,
        vmax=len(STATES) - 0.5,
        rasterized=True,
    )
    axes.grid(False)
    drawing.over_rounds(axes, measured.rounds, "Client")
    _name_clients(axes, measured)
    seen = set(np.unique(states[~np.isnan(states)]).astype(int).tolist())
    drawing.legend(
        made,
        [
            (Patch(facecolor=color, edgecolor="#8A8A8A", linewidth=0.5), text)
            for place, (color, text) in enumerate(STATES)
            if place in seen
        ],
    )
    return made


def _lines(
    measured: Measurements,
    column: str,
    ylabel: str,
    factor: float = 1.0,
    threshold: Array | None = None,
) -> Figure | None:
    values = factor * measured.of_clients[column]
    if np.isnan(values).all():
        return None
    made, (axes,) = drawing.figure()
    windows = drawing.shade(axes, measured.attacks, measured.rounds)
    draw = _own_lines if len(measured.clients) <= OWN_LINE_UP_TO else _groups
    entries = draw(axes, measured, values)
    if threshold is not None and not np.isnan(threshold).all():
        look = style.LineStyle(style.BLACK, (0, (6, 2)), "_")
        drawn = drawing.line(axes, measured.rounds, threshold, look, linewidth=1.2)
        entries.append((drawn, "threshold"))
    entries += _mark_removals(axes, measured, values)
    if column == "loss" and drawing.is_wide([values]):
        drawing.logarithmic(axes)
    drawing.over_rounds(axes, measured.rounds, ylabel)
    drawing.legend(made, entries + windows)
    return made


def _own_lines(axes: Axes, measured: Measurements, values: Array) -> list[drawing.Entry]:
    entries: list[drawing.Entry] = []
    for place, client in enumerate(measured.clients):
        drawn = drawing.line(
            axes, measured.rounds, values[:, place], style.line_style(place), linewidth=1.2
        )
        suffix = " (malicious)" if measured.malicious[place] else ""
        entries.append((drawn, f"client {client}{suffix}"))
    return entries


def _groups(axes: Axes, measured: Measurements, values: Array) -> list[drawing.Entry]:
    """Draw benign and malicious clients, each group in its colour."""
    entries: list[drawing.Entry] = []
    solid: Any = "solid"
    for group, color, dash, text in (
        (~measured.malicious, style.BENIGN, solid, "benign"),
        (measured.malicious, style.MALICIOUS, (0, (4, 1.5)), "malicious"),
    ):
        if not group.any():
            continue
        draw = _thin_lines if group.sum() <= LINES_UP_TO else _band
        draw(axes, measured.rounds, values[:, group], color, dash)
        handle = Line2D([], [], color=color, linestyle=dash)
        entries.append((handle, f"{text} ({_who(measured.clients[group])})"))
    if max(measured.malicious.sum(), (~measured.malicious).sum()) > LINES_UP_TO:
        entries.append((Patch(color=style.GREY, alpha=0.4, linewidth=0), "90 % and all of them"))
    axes.autoscale_view()
    return entries


def _thin_lines(
    axes: Axes, rounds: NDArray[np.int64], values: Array, color: str, dash: Any
) -> None:
    segments = [np.column_stack([rounds, column]) for column in values.T]
    width = max(0.5, 1.2 - 0.02 * len(segments))
    axes.add_collection(
        LineCollection(segments, colors=color, linewidths=width, linestyles=[dash], alpha=0.8)
    )
    _mark_lone_points(axes, rounds, values, color)


def _band(axes: Axes, rounds: NDArray[np.int64], values: Array, color: str, dash: Any) -> None:
    """Draw the median of many clients, and the bands that hold 90 % and all of them."""
    there = ~np.isnan(values).all(axis=1)
    spread = np.full((5, len(rounds)), np.nan)
    spread[:, there] = np.nanpercentile(values[there], (0, 5, 50, 95, 100), axis=1)
    axes.fill_between(rounds, spread[0], spread[4], color=color, alpha=0.15, linewidth=0)
    axes.fill_between(rounds, spread[1], spread[3], color=color, alpha=0.3, linewidth=0)
    axes.plot(rounds, spread[2], color=color, linestyle=dash)
    _mark_lone_points(axes, rounds, spread[2:3].T, color)


def _mark_lone_points(axes: Axes, rounds: NDArray[np.int64], values: Array, color: str) -> None:
    """Show values without a neighbour in time, which no line shows."""
    there = np.pad(~np.isnan(values), ((1, 1), (0, 0)))
    at, who = np.nonzero(there[1:-1] & ~there[:-2] & ~there[2:])
    axes.plot(rounds[at], values[at, who], linestyle="none", marker=".", color=color)


def _mark_removals(axes: Axes, measured: Measurements, values: Array) -> list[drawing.Entry]:
    places = [(at, who) for at, who in measured.removals if not np.isnan(values[at, who])]
    if not places:
        return []
    at, who = (np.array(side) for side in zip(*places, strict=True))
    (drawn,) = axes.plot(
        measured.rounds[at],
        values[at, who],
        linestyle="none",
        marker="x",
        markersize=5,
        markeredgewidth=1.4,
        color=style.BLACK,
        zorder=5,
    )
    return [(drawn, "removed")]


def _who(clients: NDArray[np.int64]) -> str:
    if len(clients) > NAMED_UP_TO:
        return f"{len(clients)} clients"
    noun = "client" if len(clients) == 1 else "clients"
    return f"{noun} {', '.join(map(str, clients))}"


def _edges(rounds: NDArray[np.int64]) -> Array:
    """Return the borders of the rounds' cells; a round that is missing leaves no hole."""
    middles = (rounds[1:] + rounds[:-1]) / 2
    return np.concatenate([[rounds[0] - 0.5], middles, [rounds[-1] + 0.5]])


def _name_clients(axes: Axes, measured: Measurements) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    clients = measured.clients
    axes.yaxis.set_major_formatter(
        lambda place, _: str(clients[int(place)]) if 0 <= place < len(clients) else ""
    )
    axes.set_ylim(len(clients) - 0.5, -0.5)
