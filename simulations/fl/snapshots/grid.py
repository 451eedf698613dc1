"""A figure of many small images with captions, drawn in one set of axes, measured in inches.

One set of axes for each image would take seconds for a hundred images.
"""

from __future__ import annotations

from typing import Any

from matplotlib.patches import Rectangle

from simulations.fl.snapshots.figure import (
    ATTACK,
    GRID,
    INK,
    MUTED,
    new_figure,
    pixels_of,
    set_title,
    title_lines,
)

COLUMNS = 8
LEAST_WIDTH = 5.0
MARGIN, CELL, GAP, LINE = 0.85, 1.2, 0.1, 0.19


class ImageGrid:
    """Places for `count` samples, `rows` images each below the other, up to eight side by side.

    `foot` is the number of text lines below each image.
    """

    def __init__(self, count: int, rows: int, title: str, subtitle: str, foot: int = 0) -> None:
        self._columns = min(max(count, 1), COLUMNS)
        self._step = CELL + GAP + foot * LINE
        self._band = 2.2 * LINE + rows * self._step
        width = max(LEAST_WIDTH, MARGIN + self._columns * (CELL + GAP))
        self._top = LINE * len(title_lines(title, subtitle, width)) + 2 * GAP
        height = self._top + self._band * -(-count // self._columns)
        self.figure = new_figure(width, height, None)
        set_title(self.figure, title, subtitle, y=1 - GAP / height, va="top")
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.set_autoscale_on(False)

    def image(self, place: int, row: int, image: Any, **options: Any) -> None:
        """Draw an image (channels, height, width) in its cell, every pixel a sharp square."""
        left, top, wide, high = self._frame(place, row, image)
        pixels, shown = pixels_of(image, options)
        extent = (left, left + wide, top + high, top)
        self._axes.imshow(pixels, extent=extent, aspect="auto", interpolation="nearest", **shown)
        self._rectangle((left, top), wide, high, GRID, 0.8)

    def mark(self, place: int, row: int, image: Any, region: tuple[slice, slice]) -> None:
        """Draw a frame around these rows and columns of the image in a cell."""
        left, top, wide, _ = self._frame(place, row, image)
        scale, (down, right) = wide / image.shape[2], region
        corner = (left + right.start * scale, top + down.start * scale)
        size = (right.stop - right.start) * scale, (down.stop - down.start) * scale
        self._rectangle(corner, *size, ATTACK, 1.4)

    def above(self, place: int, text: str, color: str = INK, weight: str = "normal") -> None:
        left, top = self._corner(place, 0)
        style = {"ha": "center", "va": "bottom", "fontsize": 8}
        self._text(left + CELL / 2, top - GAP / 3, text, color, weight, **style)

    def below(
        self, place: int, row: int, text: str, color: str = MUTED, weight: str = "normal"
    ) -> None:
        left, top = self._corner(place, row)
        style = {"ha": "center", "va": "top", "fontsize": 8}
        self._text(left + CELL / 2, top + CELL + GAP / 3, text, color, weight, **style)

    def name_row(self, place: int, row: int, text: str) -> None:
        """Name a row to the left of the sample's image."""
        left, top = self._corner(place, row)
        style = {"ha": "right", "va": "center", "fontsize": 8}
        self._text(left - GAP, top + CELL / 2, text, MUTED, "normal", **style)

    def _corner(self, place: int, row: int) -> tuple[float, float]:
        band, column = divmod(place, self._columns)
        top = self._top + band * self._band + 2.2 * LINE + row * self._step
        return MARGIN + column * (CELL + GAP), top

    def _frame(self, place: int, row: int, image: Any) -> tuple[float, float, float, float]:
        """Return left, top, width and height that keep the image's proportions, centred."""
        left, top = self._corner(place, row)
        _, height, width = image.shape
        scale = CELL / max(height, width)
        wide, high = width * scale, height * scale
        return left + (CELL - wide) / 2, top + (CELL - high) / 2, wide, high

    def _rectangle(
        self, corner: tuple[float, float], wide: float, high: float, color: str, line: float
    ) -> None:
        frame = Rectangle(corner, wide, high, fill=False, edgecolor=color, linewidth=line)
        self._axes.add_patch(frame)

    def _text(self, x: float, y: float, text: str, color: str, weight: str, **style: Any) -> None:
        self._axes.text(x, y, text, color=color, fontweight=weight, parse_math=False, **style)
