"""The resolved settings of a strategy, and in what they differ from the defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from simulations.fl.config import StrategyConfig
from simulations.models import Simulation, StrategyRun
from simulations.pages.run.asked import Asked


@dataclass(frozen=True)
class Setting:
    """A setting: `origin` tells whether it was given, followed from others, or is the default."""

    name: str
    meaning: str
    value: str
    default: str
    origin: str


def context(about: Asked) -> dict[str, Any]:
    every = settings(about.row, about.run)
    return {
        "changed": [one for one in every if one.origin != "default"],
        "unchanged": [one for one in every if one.origin == "default"],
        "resolved": _pretty(about.run.config),
        "submitted": _pretty(about.row.config),
    }


def settings(row: Simulation, run: StrategyRun) -> list[Setting]:
    """Return every setting of the strategy, in the order of the documentation."""
    given = _given(row.config, run.number)
    return [
        _setting(name, field, run.config[name], given)
        for name, field in StrategyConfig.model_fields.items()
        if name in run.config
    ]


def _setting(name: str, field: FieldInfo, value: Any, given: Mapping[str, Any]) -> Setting:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    origin = "default"
    if value != default:
        origin = "given" if name in given else "follows"
    shown = "required" if field.is_required() else _text(default)
    return Setting(name, field.description or "", _text(value), shown, origin)


def _given(submitted: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return what was submitted for one strategy: its own settings over the shared ones."""
    if "simulation_strategies" not in submitted:
        return dict(submitted)
    own = submitted["simulation_strategies"][number]
    return {**submitted.get("shared_settings", {}), **own}


def _text(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        told = [{name: one for name, one in entry.items() if one is not None} for entry in value]
        return "\n".join(json.dumps(entry, ensure_ascii=False) for entry in told)
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
