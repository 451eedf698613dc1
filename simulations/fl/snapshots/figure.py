"""Figures without pyplot: they share no state, so that any thread or process may draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulations.fl.atomic import replacing

Layout = Literal["constrained"] | None

DPI = 120
LETTERS_PER_INCH = 10.5
INK = "#1f2933"
MUTED = "#66727f"
HONEST = "#2b6cb0"
ATTACK = "#c53030"
GRID = "#dde3ea"


def new_figure(width: float, height: float, layout: Layout = "constrained") -> Figure:
    """Return an empty figure of that size in inches; it arranges its own margins, or nothing."""
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Figure, path: Path) -> str:
    """Write the figure and return the file's name; the same figure gives the same bytes."""
    with replacing(path) as draft:
        figure.savefig(draft, format="png", dpi=DPI, metadata={"Software": None})
    return path.name


def title_lines(title: str, subtitle: str, width: float) -> list[str]:
    """Return the lines of a heading for a figure of `width` inches."""
    letters = int(width * LETTERS_PER_INCH)
    return [*wrap(title, letters), *wrap(subtitle, letters)]


def set_title(figure: Figure, title: str, subtitle: str = "", **place: Any) -> None:
    lines = title_lines(title, subtitle, figure.get_figwidth())
    figure.suptitle("\n".join(lines), fontsize=11, color=INK, parse_math=False, **place)


def plain_axes(axes: Axes) -> None:
    """Take away the box and soften the ticks, and put a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(colors=MUTED, labelsize=8)
    axes.set_axisbelow(True)
    axes.grid(True, color=GRID, linewidth=0.6)


def pixels_of(image: Any, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return what imshow takes for an image (channels, height, width) in [0, 1], and how."""
    pixels = image.transpose(1, 2, 0) if image.shape[0] == 3 else image.mean(axis=0)
    return pixels, {"cmap": "gray", "vmin": 0, "vmax": 1, **options}


def show_image(axes: Axes, image: Any, **options: Any) -> None:
    """Draw one image in axes of its own, every pixel a sharp square."""
    pixels, shown = pixels_of(image, options)
    axes.imshow(pixels, interpolation="nearest", **shown)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(GRID)
