"""Cells of CSV files that people open in spreadsheets."""

from __future__ import annotations

import re
from typing import Any

# The full-width signs too: some spreadsheets take them for the plain ones.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def inert(value: Any) -> Any:
    """Return a text so that no spreadsheet takes it for a formula; other values as they are."""
    is_text = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if is_text and not NUMBER.fullmatch(value) else value
