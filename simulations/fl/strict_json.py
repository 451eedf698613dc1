"""JSON as RFC 8259 has it: no NaN, no duplicate keys, no bottomless nesting."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_DIGITS = 400


class StrictJSONError(ValueError):
    """The text is not acceptable JSON; the message is a sentence for people."""


def loads(text: str | bytes) -> Any:
    """Parse `text`; raise StrictJSONError for syntax, NaN, duplicate keys or deep nesting."""
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_integer,
            object_pairs_hook=_unique_keys,
        )
    except RecursionError:
        raise StrictJSONError(_too_deep()) from None
    except UnicodeDecodeError as error:
        raise StrictJSONError(f"the body is not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise StrictJSONError(f"the body is not valid JSON: {error.msg} at {place}") from None
    _inspect(value)
    return value


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Write `value` as JSON, with null where a number is NaN or infinite."""
    separators = (",", ":") if indent is None else None
    write = partial(
        json.dumps, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False
    )
    try:
        return write(value)
    except (TypeError, ValueError):
        # Nearly always every number is finite, and looking first costs more than the writing.
        return write(finite(value))


def finite(value: Any) -> Any:
    """Return `value` with every float that JSON cannot hold replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJSONError(f"{name} is not a JSON number; use a finite number or null")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJSONError(f"the number {digits[:40]} is too large for a 64-bit float")
    return number


def _short_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise StrictJSONError(f"the number {digits[:40]}... has more than {MAX_DIGITS} digits")
    return int(digits)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise StrictJSONError(f"the key {key!r} stands twice in one object")
            seen.add(key)
    return result


def _inspect(value: Any) -> None:
    """Refuse nesting that later readers would choke on, and text that no database can hold."""
    level = [value]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                children += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                children += item
            elif isinstance(item, str):
                _refuse_unstorable(item)
        if not children:
            return
        level = children
    raise StrictJSONError(_too_deep())


def _refuse_unstorable(text: str) -> None:
    if "\x00" in text:
        raise StrictJSONError(f"the string {text[:40]!r} contains a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise StrictJSONError(f"the string {text[:40]!r} contains half a surrogate pair")


def _too_deep() -> str:
    return f"the body is nested more than {MAX_DEPTH} levels deep"
