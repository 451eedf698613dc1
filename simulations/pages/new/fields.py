"""The settings of a simulation as fields of a form, made from the configuration's own models."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from datasets_app.catalog import CATALOG
from simulations.fl.attacks import ATTACKS
from simulations.fl.config import StrategyConfig
from simulations.fl.config.reference import limits
from simulations.fl.config.schedule import AttackEntry
from simulations.fl.networks import NETWORKS
from simulations.fl.partitions import PARTITIONS
from simulations.fl.strategies import STRATEGIES

Kind = Literal[
    "boolean", "integer", "number", "choice", "text", "lines", "names", "integers", "json"
]
MULTILINE = frozenset({"lines", "json"})
TABLES: dict[str, Sequence[str]] = {
    "aggregation_strategy_keyword": sorted(STRATEGIES),
    "dataset_keyword": sorted(CATALOG),
    "model_keyword": sorted(NETWORKS),
    "partitioning_strategy": sorted(PARTITIONS),
    "attack_type": sorted(ATTACKS),
}
SCHEDULE, PARAMS = "attack_schedule", "partitioning_params"
PARTS = frozenset({SCHEDULE, PARAMS})
"""Settings that have fields of their own, one for each of their parts."""


@dataclass(frozen=True)
class FormField:
    """One setting: how it is asked for, and what is told about it."""

    name: str
    group: str
    kind: Kind
    help_text: str
    default: str
    is_required: bool
    limits: str
    choices: Sequence[Any] = ()


@cache
def setting_fields() -> dict[str, FormField]:
    """Return the fields of a strategy's settings, without those that have parts."""
    fields = _fields(StrategyConfig)
    return {name: field for name, field in fields.items() if name not in PARTS}


@cache
def entry_fields(attack_type: str) -> dict[str, FormField]:
    """Return the fields of an entry of the schedule: the attack, who and when, its parameters."""
    own = ATTACKS[attack_type].Params if attack_type in ATTACKS else None
    entry = _fields(AttackEntry)
    return {"attack_type": entry["attack_type"], **entry, **(_fields(own) if own else {})}


@cache
def partition_fields(partition: str) -> dict[str, FormField]:
    """Return the fields of a partition's parameters; none of an unknown one."""
    return _fields(PARTITIONS[partition].params) if partition in PARTITIONS else {}


def entry_field(attack_type: str, name: str) -> FormField | None:
    """Return the field of an entry, also if only another attack has it."""
    for known in (attack_type, *ATTACKS):
        if name in entry_fields(known):
            return entry_fields(known)[name]
    return None


def partition_field(partition: str, name: str) -> FormField | None:
    """Return the field of a parameter, also if only another partition has it."""
    for known in (partition, *PARTITIONS):
        if name in partition_fields(known):
            return partition_fields(known)[name]
    return None


def _fields(model: type[BaseModel]) -> dict[str, FormField]:
    return {name: _field(name, info) for name, info in model.model_fields.items()}


def _field(name: str, info: FieldInfo) -> FormField:
    kind, choices = _kind(name, info.annotation)
    extra: Mapping[str, Any] = (
        info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    )
    default = "" if info.is_required() or info.default in (None, "", []) else info.default
    return FormField(
        name=name,
        group=str(extra.get("group", "")),
        kind=kind,
        help_text=info.description or "",
        default=default if isinstance(default, str) else json.dumps(default),
        is_required=info.is_required(),
        limits=", ".join(limits(info)),
        choices=choices,
    )


def _kind(name: str, annotation: Any) -> tuple[Kind, Sequence[Any]]:
    if name in TABLES:
        return "choice", TABLES[name]
    if name == "notes":
        return "lines", ()
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(name, arguments[0])
    if origin in (UnionType, typing.Union):
        given = [one for one in arguments if one is not type(None)]
        return _kind(name, given[0]) if len(given) == 1 else ("json", ())
    if origin is Literal:
        return "choice", arguments
    if origin is list:
        return _kind_of_list(arguments[0]), ()
    kinds: dict[Any, Kind] = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return kinds.get(annotation, "json"), ()


def _kind_of_list(item: Any) -> Kind:
    plain = typing.get_args(item)[0] if typing.get_origin(item) is typing.Annotated else item
    kinds: dict[Any, Kind] = {str: "names", int: "integers"}
    return kinds.get(plain, "json")
