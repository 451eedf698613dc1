"""The settings of a simulation as fields of a form, made from the configuration's own model."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from datasets_app.catalog import CATALOG
from simulations.fl import strict_json
from simulations.fl.config import StrategyConfig
from simulations.fl.networks import NETWORKS
from simulations.fl.partitions import PARTITIONS
from simulations.fl.strategies import STRATEGIES

Kind = Literal["checkbox", "integer", "number", "choice", "text", "lines", "names", "json"]
TABLES: dict[str, Sequence[str]] = {
    "aggregation_strategy_keyword": sorted(STRATEGIES),
    "dataset_keyword": sorted(CATALOG),
    "model_keyword": sorted(NETWORKS),
    "partitioning_strategy": sorted(PARTITIONS),
}
OPEN = ("Simulation", "Strategy", "Data", "Training")


@dataclass(frozen=True)
class FormField:
    """One setting: how it is asked for, and what a browser can check by itself."""

    name: str
    group: str
    kind: Kind
    help_text: str
    default: str
    is_required: bool
    choices: Sequence[Any] = ()
    least: float | None = None
    most: float | None = None
    longest: int | None = None


def form_fields() -> list[FormField]:
    return [_field(name, info) for name, info in StrategyConfig.model_fields.items()]


def groups(values: Mapping[str, str], errors: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return the groups of fields, each with what was entered and what is wrong with it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for field in form_fields():
        wrong = errors.get(field.name, ())
        asked = {"field": field, "value": values.get(field.name, ""), "errors": wrong}
        found.setdefault(field.group, []).append(asked)
    return [
        {"name": name, "fields": fields, "is_open": name in OPEN or _is_used(fields)}
        for name, fields in found.items()
    ]


def entered(values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the configuration that was entered, and what cannot be read, by field.

    An empty field is left out, so that its default holds.
    """
    config: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field in form_fields():
        text = values.get(field.name, "").strip()
        if not text:
            continue
        try:
            config[field.name] = _read(field, text)
        except ValueError as error:
            errors[field.name] = [str(error)]
    return config, errors


def shown(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a flat configuration as the texts of its fields."""
    fields = {field.name: field for field in form_fields()}
    return {
        name: _write(fields[name], value)
        for name, value in config.items()
        if name in fields and value not in (None, "", [])
    }


def _is_used(fields: Sequence[Mapping[str, Any]]) -> bool:
    return any(asked["value"] or asked["errors"] for asked in fields)


def _read(field: FormField, text: str) -> Any:
    if field.kind == "checkbox":
        return text == "true"
    if field.kind == "integer":
        return _number(int, text, "a whole number")
    if field.kind == "number":
        return _number(float, text, "a number")
    if field.kind == "names":
        return [name.strip() for name in text.split(",") if name.strip()]
    if field.kind == "json":
        return strict_json.loads(text)
    if field.kind == "choice":
        return next((choice for choice in field.choices if str(choice) == text), text)
    return text


def _number(read: type[int] | type[float], text: str, what: str) -> float:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"must be {what}, not {text[:40]!r}") from error


def _write(field: FormField, value: Any) -> str:
    if field.kind == "names":
        return ", ".join(value)
    if field.kind == "json":
        return strict_json.dumps(value, indent=2)
    return value if isinstance(value, str) else json.dumps(value)


def _field(name: str, info: FieldInfo) -> FormField:
    kind, choices = _kind(name, info.annotation)
    limits = {type(limit): limit for limit in info.metadata}
    extra = info.json_schema_extra
    default = "" if info.is_required() or info.default in (None, "", []) else info.default
    return FormField(
        name=name,
        group=str(extra["group"]) if isinstance(extra, dict) else "Other",
        kind=kind,
        help_text=info.description or "",
        default=default if isinstance(default, str) else json.dumps(default),
        is_required=info.is_required(),
        choices=choices,
        least=_limit(limits, {Ge: "ge", Gt: "gt"}),
        most=_limit(limits, {Le: "le", Lt: "lt"}),
        longest=getattr(limits.get(MaxLen), "max_length", None),
    )


def _kind(name: str, annotation: Any) -> tuple[Kind, Sequence[Any]]:
    if name in TABLES:
        return "choice", TABLES[name]
    if name == "notes":
        return "lines", ()
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (UnionType, typing.Union):
        return _kind(name, next(one for one in arguments if one is not type(None)))
    if origin is Literal:
        return "choice", arguments
    if origin is list and (arguments[0] is str or str in typing.get_args(arguments[0])):
        return "names", ()
    kinds: dict[Any, Kind] = {bool: "checkbox", int: "integer", float: "number", str: "text"}
    return kinds.get(origin or annotation, "json"), ()


def _limit(limits: Mapping[type, Any], names: Mapping[type, str]) -> float | None:
    for kind, attribute in names.items():
        if kind in limits:
            return float(getattr(limits[kind], attribute))
    return None
