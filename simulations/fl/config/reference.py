"""The reference of the configuration as Markdown, from the model itself."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.schedule import AttackEntry

LIMITS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}
LENGTHS = {MaxLen: ("max_length", "at most"), MinLen: ("min_length", "at least")}


def reference() -> str:
    """Return one table a group of settings, then the fields of an attack_schedule entry."""
    groups: dict[str, list[str]] = {}
    for name, field in StrategyConfig.model_fields.items():
        extra = field.json_schema_extra
        group = str(extra["group"]) if isinstance(extra, dict) else "Other"
        groups.setdefault(group, []).append(_row(name, field))
    parts = [_table(group, rows) for group, rows in groups.items()]
    entry = [_row(name, field) for name, field in AttackEntry.model_fields.items()]
    parts.append(_table("Entries of attack_schedule", entry))
    return "\n\n".join(parts)


def _table(title: str, rows: list[str]) -> str:
    head = "| field | type and limits | default | meaning |\n| --- | --- | --- | --- |"
    return "\n".join([f"### {title}", "", head, *rows])


def _row(name: str, field: FieldInfo) -> str:
    kind = ", ".join([_type(field.annotation), *limits(field)])
    return f"| `{name}` | {kind} | {_default(field)} | {field.description} |"


def _type(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Literal:
        return " / ".join(f"`{value}`" for value in arguments)
    if origin in (UnionType, typing.Union):
        return _type(next(a for a in arguments if a is not type(None)))
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is list:
        return f"list of {_type(arguments[0])}"
    names = {int: "integer", float: "number", str: "string", bool: "boolean", dict: "object"}
    return names.get(origin or annotation, "object")


def limits(field: FieldInfo) -> Iterator[str]:
    """Yield what bounds a field, in words and signs: `≥ 0`, `at most 50 entries`."""
    for limit in field.metadata:
        if type(limit) in LIMITS:
            attribute, sign = LIMITS[type(limit)]
            yield f"{sign} {getattr(limit, attribute)}"
        elif type(limit) in LENGTHS:
            attribute, words = LENGTHS[type(limit)]
            unit = "characters" if _type(field.annotation) == "string" else "entries"
            yield f"{words} {getattr(limit, attribute)} {unit}"


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else f"`{json.dumps(field.default)}`"
