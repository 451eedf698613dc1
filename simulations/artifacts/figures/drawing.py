"""Pieces that all figures are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from simulations.artifacts import style
from simulations.artifacts.measurements import Array, AttackWindow

MARKS = 12
WIDE = 50
LEGEND_ABOVE_UP_TO = 8
ROW_INCHES, HANDLE_INCHES, LETTER_INCHES = 0.17, 0.58, 0.062
Entry = tuple[Any, str]
"""A legend's entry: what is shown, and its text."""


def figure(panels: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with `panels` axes side by side."""
    size = style.SINGLE_COLUMN if panels == 1 else style.DOUBLE_COLUMN
    made = Figure(figsize=size, layout="constrained")
    return made, list(made.subplots(1, panels, squeeze=False)[0])


def over_rounds(axes: Axes, rounds: NDArray[np.int64], ylabel: str) -> None:
    """Label the axes of values over rounds, with whole rounds at the ticks."""
    axes.set_xlabel("Round")
    axes.set_ylabel(ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.set_xlim(rounds[0] - 0.5, rounds[-1] + 0.5)


def line(
    axes: Axes, rounds: NDArray[np.int64], values: Array, look: style.LineStyle, **more: Any
) -> Line2D:
    """Draw values over rounds, with gaps where nothing was measured and some points marked."""
    (drawn,) = axes.plot(
        rounds,
        values,
        color=look.color,
        linestyle=look.linestyle,
        marker=look.marker,
        markevery=_marked(values, style.MARKERS.find(look.marker)),
        **more,
    )
    return drawn


def logarithmic(axes: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers at the ticks."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def is_wide(values: Sequence[Array]) -> bool:
    """Tell whether positive values span so much that a linear axis hides the small ones."""
    measured = np.concatenate([column[~np.isnan(column)] for column in values])
    return bool(measured.min() > 0 and measured.max() / measured.min() > WIDE)


def shade(axes: Axes, attacks: Sequence[AttackWindow], rounds: NDArray[np.int64]) -> list[Entry]:
    """Shade the rounds of the first type of attack, hatch those of others; return the legend's."""
    by_type: dict[str, set[tuple[int, int]]] = {}
    for window in attacks:
        if window.first <= rounds[-1]:
            by_type.setdefault(window.attack_type, set()).add((window.first, window.last))
    entries: list[Entry] = []
    for place, (attack_type, windows) in enumerate(by_type.items()):
        look = style.window_style(place)
        for first, last in sorted(windows):
            axes.axvspan(first - 0.5, last + 0.5, zorder=0, linewidth=0, **look)
        text = style.label(f"attack: {attack_type.replace('_', ' ')}")
        entries.append((Patch(linewidth=0, **look), text))
    return entries


def legend(made: Figure, entries: Sequence[Entry]) -> None:
    """Put the legend outside the axes, which keep their size: above, or beside when it is long."""
    if not entries:
        return
    handles, texts = [entry[0] for entry in entries], [entry[1] for entry in entries]
    width, height = made.get_size_inches()
    if len(entries) > LEGEND_ABOVE_UP_TO:
        made.set_size_inches(
            width + max(map(_width, texts)), max(height, ROW_INCHES * (len(entries) + 1))
        )
        made.legend(handles, texts, loc="outside right upper")
        return
    columns = _columns(texts, width)
    rows = math.ceil(len(entries) / columns)
    made.set_size_inches(width, height + ROW_INCHES * rows)
    made.legend(handles, texts, loc="outside upper left", ncols=columns, borderaxespad=0.2)


def _columns(texts: Sequence[str], width: float) -> int:
    """Return the most columns, filled from top to bottom, that fit into `width` inches."""
    widths = np.array([_width(text) for text in texts])
    for columns in range(len(texts), 1, -1):
        if sum(part.max() for part in np.array_split(widths, columns)) <= width:
            return columns
    return 1


def _width(text: str) -> float:
    return HANDLE_INCHES + LETTER_INCHES * len(text)


def _marked(values: Array, offset: int) -> list[int]:
    """Return the places to mark: a dozen, apart from other lines' marks, and all lone values."""
    there = np.pad(~np.isnan(values), 1)
    lone = np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:])
    step = math.ceil(len(values) / MARKS)
    regular = range(max(offset, 0) % step, len(values), step) if offset >= 0 else ()
    return sorted({*regular, *lone.tolist()})
