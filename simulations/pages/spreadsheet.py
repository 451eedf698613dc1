"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def inert(value: Any) -> Any:
    """Return a text so that no spreadsheet takes it for a formula; other values as they are."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if is_formula else value
