"""What each client has of each class: bars of a few clients, a map of many."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from simulations.artifacts import style
from simulations.artifacts.figures import drawing
from simulations.artifacts.measurements import Measurements
from simulations.fl.label_distribution import LabelDistribution, heterogeneity

BARS_UP_TO = 40
CLASSES_UP_TO = 16
MAP = (4.4, 3.4)
MAP_COLORS = "Blues"
Places = NDArray[np.int64]


def label_distribution(measured: Measurements) -> Figure | None:
    """Samples of each client by class, with attackers marked and the heterogeneity in numbers."""
    spread = measured.spread
    if spread is None:
        return None
    counts = spread.counts
    if counts is None:
        return _sizes(spread)
    is_small = len(spread.sizes) <= BARS_UP_TO and counts.shape[1] <= CLASSES_UP_TO
    return _bars(spread, counts) if is_small else _map(spread, counts)


def summary(spread: LabelDistribution) -> str:
    """Return the numbers of the heterogeneity that go above the figure, on two lines at most."""
    numbers = heterogeneity(spread)
    parts = []
    if spread.counts is not None:
        parts.append(f"mean total variation {numbers['total_variation_mean']:.2f}")
    if spread.unused:
        parts.append(f"{spread.unused:,} samples unused")
    sizes = f"{numbers['size_min']:,} to {numbers['size_max']:,} samples a client"
    return f"{', '.join(parts)}\n{sizes}, median {numbers['size_median']:,g}".strip()


def _bars(spread: LabelDistribution, counts: NDArray[np.int64]) -> Figure:
    made, (axes,) = drawing.figure()
    clients = np.arange(len(spread.sizes))
    entries: list[drawing.Entry] = []
    below = np.zeros(len(clients), dtype=np.int64)
    for label, column in enumerate(counts.T):
        look = _look(label)
        axes.bar(clients, column, bottom=below, width=0.85, linewidth=0.3, **look)
        below += column
        entries.append((Patch(linewidth=0.3, **look), _class_name(spread, label)))
    axes.set_xlim(-0.7, len(clients) - 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=20, min_n_ticks=1))
    entries += _mark_attackers(axes, spread, clients)
    _label(axes, axes, spread, "Client")
    drawing.legend(made, entries)
    return made


def _map(spread: LabelDistribution, counts: NDArray[np.int64]) -> Figure:
    """Draw each client as a column; many of them stand beside those that are alike."""
    made = Figure(figsize=MAP, layout="constrained")
    above, axes = made.subplots(2, 1, sharex=True, height_ratios=(1, 2.4))
    shares = counts / counts.sum(axis=1, keepdims=True)
    order, xlabel = np.arange(len(counts)), "Client"
    if len(counts) > BARS_UP_TO:
        order = np.lexsort((-shares.max(axis=1), shares.argmax(axis=1)))
        xlabel = f"{len(counts):,} clients, by their most frequent class"
        axes.xaxis.set_major_locator(NullLocator())
    drawn = axes.pcolormesh(
        np.arange(len(order) + 1) - 0.5,
        np.arange(counts.shape[1] + 1) - 0.5,
        100 * shares[order].T,
        cmap=MAP_COLORS,
        vmin=0,
        rasterized=True,
    )
    made.colorbar(drawn, ax=axes, label="% of the client")
    axes.grid(False)
    axes.invert_yaxis()
    few = counts.shape[1] <= CLASSES_UP_TO
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=20 if few else 10, min_n_ticks=1))
    axes.yaxis.set_major_formatter(lambda at, _: _class_name(spread, round(at)))
    axes.set_ylabel("Class")
    _fill(above, spread.sizes[order])
    entries = _mark_attackers(above, spread, np.argsort(order))
    _label(above, axes, spread, xlabel)
    drawing.legend(made, entries)
    return made


def _sizes(spread: LabelDistribution) -> Figure:
    made, (axes,) = drawing.figure()
    _fill(axes, spread.sizes)
    entries = _mark_attackers(axes, spread, np.arange(len(spread.sizes)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
    _label(axes, axes, spread, "Client")
    drawing.legend(made, entries)
    return made


def _fill(axes: Axes, sizes: Places) -> None:
    edges = np.arange(len(sizes) + 1) - 0.5
    axes.stairs(sizes, edges, fill=True, color=style.GREY, rasterized=True)
    axes.set_xlim(edges[0], edges[-1])


def _mark_attackers(axes: Axes, spread: LabelDistribution, place: Places) -> list[drawing.Entry]:
    """Mark attackers above their samples, each at the `place` where its client is drawn."""
    top = float(spread.sizes.max())
    axes.set_ylim(0, 1.12 * top)
    if not spread.attackers:
        return []
    who = np.asarray(spread.attackers)
    look: dict[str, Any] = {"linestyle": "none", "marker": "v", "color": style.MALICIOUS}
    axes.plot(place[who], spread.sizes[who] + 0.05 * top, markersize=4, **look)
    return [(Line2D([], [], markersize=4, **look), "attacker")]


def _label(sizes: Axes, below: Axes, spread: LabelDistribution, xlabel: str) -> None:
    sizes.set_title(summary(spread), loc="left", fontsize=7.5)
    sizes.set_ylabel("Samples")
    sizes.grid(False, axis="x")
    below.set_xlabel(xlabel)


def _class_name(spread: LabelDistribution, label: int) -> str:
    if not 0 <= label < len(spread.class_names):
        return ""
    suffix = " (target)" if label in spread.target_classes else ""
    return style.label(str(spread.class_names[label])) + suffix


def _look(label: int) -> dict[str, Any]:
    """Return how a class is filled: colours first, then the same ones hatched."""
    turn, place = divmod(label, len(style.PALETTE))
    look: dict[str, Any] = {"facecolor": style.PALETTE[place], "edgecolor": "white"}
    return look | {"hatch": style.HATCHES[turn - 1]} if turn else look
