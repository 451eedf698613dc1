"""A small line without axes, for the cell of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 160, 32, 3


@dataclass(frozen=True)
class Sparkline:
    """Two SVG paths in a view box of WIDTH by HEIGHT; `threshold` is "" where there is none."""

    path: str
    threshold: str
    text: str


def sparkline(
    scores: Sequence[float | None], thresholds: Sequence[float | None]
) -> Sparkline | None:
    """Draw the scores and the thresholds they are held against; None without a finite score."""
    measured = [value for value in scores if value is not None and math.isfinite(value)]
    if not measured:
        return None
    # Both on one scale, so that the line crosses the threshold where the score did.
    limits = [value for value in thresholds if value is not None and math.isfinite(value)]
    low, high = min([*measured, *limits]), max([*measured, *limits])
    text = f"{measured[0]:.3g} at first, {measured[-1]:.3g} at last"
    return Sparkline(_path(scores, low, high), _path(thresholds, low, high), text)


def _path(values: Sequence[float | None], low: float, high: float) -> str:
    """Return a path with a gap where nothing was measured; a lone point is a short line."""
    across = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    span = (high - low) or 1.0
    parts: list[str] = []
    is_drawing = False
    for place, value in enumerate(values):
        if value is None or not math.isfinite(value):
            is_drawing = False
            continue
        x = MARGIN + place * across
        y = HEIGHT - MARGIN - (value - low) / span * (HEIGHT - 2 * MARGIN)
        parts.append(f"L{x:.1f},{y:.1f}" if is_drawing else f"M{x:.1f},{y:.1f}h0.5")
        is_drawing = True
    return "".join(parts)
