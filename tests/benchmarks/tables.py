"""Figures as tables that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Table:
    """A table with a title; cells are texts."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [
            f"**{self.title}**",
            "",
            _row(self.headings),
            _row(["---", *["---:"] * (len(self.headings) - 1)]),
            *map(_row, self.rows),
        ]
        return "\n".join(lines) + "\n"


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median, and the least and the most where there are several."""
    middle = f"{median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
