"""Recorded rounds as the rows of a table: only columns that were measured, numbers as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LAST_ROUNDS = 500
COLUMNS = {
    "round_number": ("Round", "{:d}"),
    "aggregated_loss": ("Loss", "{:.4f}"),
    "average_accuracy": ("Accuracy", "{:.4f}"),
    "average_accuracy_std": ("± std", "{:.4f}"),
    "global_loss": ("Global loss", "{:.4f}"),
    "global_accuracy": ("Global accuracy", "{:.4f}"),
    "attack_success_rate": ("Attack success", "{:.4f}"),
    "removal_threshold": ("Threshold", "{:.4g}"),
    "tp": ("TP", "{:d}"),
    "tn": ("TN", "{:d}"),
    "fp": ("FP", "{:d}"),
    "fn": ("FN", "{:d}"),
    "round_seconds": ("Seconds", "{:.2f}"),
}


@dataclass(frozen=True)
class Table:
    """Headings and rows of text; `omitted` counts older rounds that are not shown."""

    headings: list[str]
    rows: list[list[str]]
    omitted: int = 0


def rounds(measured: list[dict[str, Any]]) -> Table:
    """Return the last rounds, oldest first."""
    shown = measured[-LAST_ROUNDS:]
    names = [name for name in COLUMNS if any(row[name] is not None for row in shown)]
    rows = [[_text(row[name], COLUMNS[name][1]) for name in names] for row in shown]
    return Table([COLUMNS[name][0] for name in names], rows, len(measured) - len(shown))


def _text(value: Any, form: str) -> str:
    return "–" if value is None else form.format(value)
