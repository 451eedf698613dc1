"""One value of a configuration as the text of its field, and back."""

from __future__ import annotations

import json
import math
from typing import Any

from simulations.fl import strict_json
from simulations.pages.new.fields import FormField


def read(field: FormField, text: str) -> Any:
    """Return the value that a text stands for; raise ValueError with a sentence for people."""
    text = text.replace("\r\n", "\n").strip()
    if field.kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if field.kind == "integer":
        return _integer(text)
    if field.kind == "number":
        return _number(text)
    if field.kind == "names":
        return _items(text)
    if field.kind == "integers":
        return [_integer(item) for item in _items(text)]
    if field.kind == "json":
        return strict_json.loads(text)
    if field.kind == "choice":
        return next((choice for choice in field.choices if str(choice) == text), text)
    return text


def write(field: FormField, value: Any) -> str:
    """Return a text for a value; `read` tells whether it says the same."""
    if field.kind in ("names", "integers") and isinstance(value, list):
        return ", ".join(item if isinstance(item, str) else json.dumps(item) for item in value)
    return value if isinstance(value, str) else strict_json.dumps(value)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON; 1, 1.0 and true are not."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _integer(text: str) -> int:
    value = _json_number(text)
    if not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {text[:40]!r}")
    return value


def _number(text: str) -> float:
    value = _json_number(text)
    if value is not None:
        return value
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if "_" in text or not math.isfinite(number):
        raise ValueError(f"must be a number, not {text[:40]!r}")
    return number


def _json_number(text: str) -> int | float | None:
    """Return the number that JSON reads, whole or not as it is written; None for anything else."""
    try:
        value = strict_json.loads(text)
    except strict_json.StrictJSONError:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None
