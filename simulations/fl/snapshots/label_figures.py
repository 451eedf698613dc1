"""Figures of relabelled samples."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulations.fl.attacks.base import Labels
from simulations.fl.snapshots.figure import GRID, INK, MUTED, new_figure, set_title
from simulations.fl.snapshots.samples import confusion

MOST_NUMBERED = 20
MOST_TICKS = 32


def confusion_matrix(before: Labels, after: Labels, title: str) -> Figure:
    """Draw how many samples of each class carried which label after the attack."""
    classes, counts = confusion(before, after)
    size = min(9.0, max(4.2, 1.6 + 0.42 * len(classes)))
    figure = new_figure(size, size)
    flipped = int((before != after).sum())
    set_title(figure, title, f"{flipped} of {len(before)} labels changed")
    axes = figure.subplots()
    drawn = axes.imshow(counts, cmap="Blues", interpolation="nearest", vmin=0)
    axes.set_xlabel("label after the attack", fontsize=9, color=INK)
    axes.set_ylabel("label before the attack", fontsize=9, color=INK)
    axes.spines[:].set_color(GRID)
    _class_ticks(axes, classes)
    if len(classes) <= MOST_NUMBERED:
        _numbers(axes, counts)
    else:
        bar = figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.03)
        bar.set_label("samples", fontsize=8, color=MUTED)
        bar.ax.tick_params(labelsize=8, colors=MUTED)
    return figure


def _class_ticks(axes: Axes, classes: Labels) -> None:
    step = -(-len(classes) // MOST_TICKS)
    places, names = range(0, len(classes), step), [str(label) for label in classes[::step]]
    size = 8 if len(classes) <= MOST_NUMBERED else 6.5
    axes.set_xticks(places, names, fontsize=size, color=MUTED)
    axes.set_yticks(places, names, fontsize=size, color=MUTED)


def _numbers(axes: Axes, counts: Any) -> None:
    dark = counts.max() / 2
    for row, line in enumerate(counts.tolist()):
        for column, count in enumerate(line):
            if count:
                colour = "white" if count > dark else INK
                axes.text(column, row, count, ha="center", va="center", fontsize=8, color=colour)
