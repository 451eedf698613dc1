"""Which settings change nothing beside the others, as strategies and fields declare it."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal

from simulations.fl.config.fields import StrategyConfig, declared
from simulations.fl.config.text import TEXT_FIELDS, is_transformer
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import StrategySpec

PLAIN = (str, int, float)
OF_STRATEGIES = frozenset(name for spec in STRATEGIES.values() for name in spec.parameters)
"""The settings that strategies read and that some strategies do not."""


def unused(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that change nothing beside these, each with the reason.

    What is not given counts as its default; a value of a wrong type counts as not given.
    """
    config = _lenient(settings)
    reasons: dict[str, str] = {}
    for name in StrategyConfig.model_fields:
        reason = _of_field(name, config, reasons) or _of_strategy(name, config)
        if reason:
            reasons[name] = reason
    return reasons


def used_by(spec: StrategySpec) -> frozenset[str]:
    """Return the settings that a strategy reads, and those that their defaults follow from."""
    followed = (declared(name).get("follows") for name in spec.parameters)
    return frozenset(spec.parameters).union(name for name in followed if name)


def _lenient(settings: Mapping[str, Any]) -> StrategyConfig:
    """Return a configuration that nobody has checked, with defaults for what is missing."""
    kept = {
        name: value
        for name, value in settings.items()
        if name in StrategyConfig.model_fields
        and (isinstance(value, PLAIN) or name == "attack_schedule")
    }
    missing = {"aggregation_strategy_keyword": "", "num_of_rounds": 1}
    return StrategyConfig.model_construct(**{**missing, **kept})


def _of_field(name: str, config: StrategyConfig, reasons: Mapping[str, str]) -> str:
    annotation = StrategyConfig.model_fields[name].annotation
    if typing.get_origin(annotation) is Literal and len(typing.get_args(annotation)) == 1:
        return "there is no choice"
    if name in TEXT_FIELDS and name != "use_llm" and not is_transformer(config):
        return "has an effect only on transformers"
    needed, *values = declared(name).get("needs", ("",))
    if not needed or (_holds(getattr(config, needed), values) and needed not in reasons):
        return ""
    value = f" {_word(values[0])}" if values else ""
    return f"has an effect only with {needed}{value}"


def _of_strategy(name: str, config: StrategyConfig) -> str:
    keyword = config.aggregation_strategy_keyword
    spec = STRATEGIES.get(keyword)
    if spec is None:
        return ""
    if name in OF_STRATEGIES and name not in used_by(spec):
        return f"{keyword} does not read it"
    if name == "waive_preconditions" and "num_of_malicious_clients" not in used_by(spec):
        return f"{keyword} has no bound on n and f"
    if declared(name)["group"] == "Removal" and not spec.removes:
        return f"{keyword} never removes a client"
    return ""


def _holds(value: Any, wanted: list[Any]) -> bool:
    return value == wanted[0] if wanted else bool(value)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
