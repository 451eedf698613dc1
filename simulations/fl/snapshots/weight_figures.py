"""Figures of forged updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulations.fl.snapshots.figure import (
    ATTACK,
    HONEST,
    INK,
    new_figure,
    plain_axes,
    set_title,
)

BINS = 81
MOST_TENSORS = 30
HONEST_NAME = "honest update"
SENT_NAME = "update sent"


def histogram(honest: Any, sent: Any) -> dict[str, list[float]]:
    """Count both updates' coordinates in the same bins: `edges` (81 bins), `honest`, `sent`."""
    low = min(float(honest.min()), float(sent.min()))
    high = max(float(honest.max()), float(sent.max()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = [np.histogram(values, edges)[0].tolist() for values in (honest, sent)]
    return {"edges": edges.tolist(), "honest": counts[0], "sent": counts[1]}


def weight_histogram(counts: Mapping[str, list[float]], title: str, subtitle: str) -> Figure:
    """Draw how the coordinates of the honest and the sent update are distributed."""
    figure = new_figure(7.2, 4.2)
    set_title(figure, title, subtitle)
    axes = figure.subplots()
    plain_axes(axes)
    for key, name, colour in (("honest", HONEST_NAME, HONEST), ("sent", SENT_NAME, ATTACK)):
        axes.stairs(counts[key], counts["edges"], color=colour, fill=True, alpha=0.18)
        axes.stairs(counts[key], counts["edges"], color=colour, linewidth=1.4, label=name)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    axes.set_xlabel("change of a weight against the global model", fontsize=9, color=INK)
    axes.set_ylabel("number of weights", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return figure


def layer_delta(layers: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw the norm of the honest and of the sent update in each tensor."""
    shown = sorted(layers, key=lambda layer: -layer["change_norm"])[:MOST_TENSORS]
    shown = [layer for layer in layers if layer in shown]
    some = f"the {len(shown)} most changed of {len(layers)} tensors"
    figure = new_figure(7.2, 1.7 + 0.42 * len(shown))
    set_title(figure, title, some if len(shown) < len(layers) else "")
    axes = figure.subplots()
    plain_axes(axes)
    axes.grid(False, axis="y")
    places = np.arange(len(shown))
    _bars(axes, places - 0.19, [layer["honest_norm"] for layer in shown], HONEST_NAME, HONEST)
    _bars(axes, places + 0.19, [layer["sent_norm"] for layer in shown], SENT_NAME, ATTACK)
    names = [_short(layer["name"]) for layer in shown]
    axes.set_yticks(places, names, fontsize=8, color=INK, parse_math=False)
    axes.invert_yaxis()
    if all(layer["honest_norm"] > 0 and layer["sent_norm"] > 0 for layer in shown):
        axes.set_xscale("log")
    axes.set_xlabel("norm of the update in the tensor", fontsize=9, color=INK)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def _bars(axes: Axes, places: Any, norms: list[float], name: str, colour: str) -> None:
    axes.barh(places, norms, height=0.36, color=colour, label=name)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"…{name[-39:]}"
