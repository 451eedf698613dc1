"""How large questions, answers and what tools return may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MAX_QUESTION = 8_000
MAX_ANSWER = 20_000
MAX_TEXT = 200
MAX_RESULT = 16_000
MAX_ROWS = 25
MAX_HISTORY = 10
MAX_CONFIG = 20_000


def clip(text: str, length: int = MAX_TEXT) -> str:
    """Return at most `length` characters, with an ellipsis where something is left out."""
    return text if len(text) <= length else text[: length - 1] + "…"


def sound(text: str) -> str:
    """Return the text without halves of surrogate pairs, which nothing can send or store."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def first(rows: Sequence[Any], count: int = MAX_ROWS) -> list[Any]:
    return list(rows[:count])


def rounded(value: float | None) -> float | None:
    """Return the number with the six digits that an answer needs."""
    return None if value is None else float(f"{value:.6g}")
