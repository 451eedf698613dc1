"""Line charts as SVG, drawn on the server: they show without script and print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 680, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 34
TICKS = 5
STYLES = 8
"""So many colours and dashes the style sheet has; more series repeat them."""


@dataclass(frozen=True)
class Series:
    """A named line: a value for each round, None where nothing was measured.

    `role` is "threshold" or "attacker" for lines that the style sheet draws in their own way.
    """

    name: str
    rounds: Sequence[int]
    values: Sequence[float | None]
    role: str = ""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the drawing and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Line:
    """A series as an SVG path; `end` is its last point, which shows a line of one round."""

    name: str
    style: int
    path: str
    end: tuple[float, float]
    role: str = ""


@dataclass(frozen=True)
class Band:
    """Rounds that are shaded, such as those of an attack."""

    name: str
    left: float
    width: float


@dataclass(frozen=True)
class Chart:
    """What the template draws, in the units of the view box."""

    title: str
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    bands: list[Band]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    plot_height: int = HEIGHT - BOTTOM - TOP


def line_chart(
    title: str, series: Sequence[Series], windows: Sequence[tuple[str, int, int]] = ()
) -> Chart | None:
    """Return the chart of all series with a finite value; None when there is none.

    `windows` are (name, first round, last round), both included.
    """
    drawn = [(one, points) for one in series if (points := _points(one))]
    if not drawn:
        return None
    x_axis = _Axis([x for _, points in drawn for x, _ in points], LEFT, WIDTH - RIGHT, whole=True)
    y_axis = _Axis([y for _, points in drawn for _, y in points], HEIGHT - BOTTOM, TOP)
    lines = [
        _line(one, place % STYLES, [(x_axis.at(x), y_axis.at(y)) for x, y in points])
        for place, (one, points) in enumerate(drawn)
    ]
    bands = [
        Band(name, x_axis.at(first - 0.5), x_axis.at(last + 0.5) - x_axis.at(first - 0.5))
        for name, first, last in windows
    ]
    return Chart(title, lines, x_axis.ticks, y_axis.ticks, bands)


def _points(series: Series) -> list[tuple[float, float]]:
    pairs = zip(series.rounds, series.values, strict=True)
    return [(x, y) for x, y in pairs if y is not None and math.isfinite(y)]


def _line(series: Series, style: int, places: list[tuple[float, float]]) -> Line:
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Line(series.name, style, path, places[-1], series.role)


class _Axis:
    """Maps values to places between `begin` and `end`, with a few round ticks."""

    def __init__(
        self, values: Sequence[float], begin: float, end: float, whole: bool = False
    ) -> None:
        low, high = min(values), max(values)
        if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
            low, high = low - 0.5, high + 0.5
        step = _nice((high - low) / TICKS)
        step = max(1.0, step) if whole else step
        if not whole:
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
        self._low, self._high, self._begin, self._end = low, high, begin, end
        first = math.ceil(low / step - 1e-9)
        last = math.floor(high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step)))
        self.ticks = [
            Tick(self.at(number * step), f"{number * step:.{digits}f}")
            for number in range(first, last + 1)
        ]

    def at(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)


def _nice(step: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)
