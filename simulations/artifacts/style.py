"""How every figure looks: one typeface, and colours and dashes that stay apart in grey print.

Colours are those of Okabe and Ito (2008) without the yellow, which vanishes on white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#777777"
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (3, 1.5, 1, 1.5, 1, 1.5)),
    (0, (2, 2)),
)
MARKERS = "osD^vPX<>*h"
BENIGN, MALICIOUS = BLUE, VERMILLION
WINDOW_SHADE, WINDOW_HATCH = "#EDEDED", "#CBCBCB"
HATCHES = ("////", "\\\\\\\\", "....", "----", "||||")

SINGLE_COLUMN = (4.4, 2.5)
DOUBLE_COLUMN = (7.2, 2.5)
COMPARISON = (5.2, 2.9)
"""Sizes in inches, without the legend."""

RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
    "figure.dpi": 200,
}


@dataclass(frozen=True)
class LineStyle:
    """What tells one line from another, in colour and without."""

    color: str
    linestyle: Any
    marker: str


def line_style(place: int) -> LineStyle:
    """Return the style of the line at `place`; the first 600 differ from each other."""
    turn = place // len(PALETTE)
    return LineStyle(
        PALETTE[place % len(PALETTE)],
        DASHES[(place + turn) % len(DASHES)],
        MARKERS[place % len(MARKERS)],
    )


def window_style(place: int) -> dict[str, Any]:
    """Return the look of the rounds of an attack, so that overlapping ones both show."""
    if place == 0:
        return {"facecolor": WINDOW_SHADE, "edgecolor": WINDOW_SHADE}
    hatch = HATCHES[(place - 1) % len(HATCHES)]
    return {"facecolor": "none", "edgecolor": WINDOW_HATCH, "hatch": hatch}


def label(text: str) -> str:
    """Return `text` for a legend: on one line, not too long, read literally by matplotlib."""
    line = " ".join(text.split())
    line = line if len(line) <= 44 else f"{line[:43]}…"
    line = line.replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{line}" if line.startswith("_") else line
