"""From a JSON object to a checked configuration, flat or structured, with all errors at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from simulations.fl.attacks import ATTACKS
from simulations.fl.config.fields import SIMULATION_FIELDS, StrategyConfig
from simulations.fl.config.findings import Findings
from simulations.fl.config.legacy import modernise
from simulations.fl.config.messages import sentence
from simulations.fl.config.rules import check
from simulations.fl.config.schedule import AttackEntry, entry_class
from simulations.fl.config.spelling import unknown
from simulations.fl.errors import ConfigError

Path = Callable[[str], str]
M = TypeVar("M", bound=BaseModel)
MAX_STRATEGIES = 100
PLACEHOLDERS: dict[str, Any] = {"num_of_rounds": 1, "aggregation_strategy_keyword": "fedavg"}


@dataclass(frozen=True)
class SimulationConfig:
    """A checked configuration: one entry for each strategy, and warnings for its author."""

    strategies: tuple[StrategyConfig, ...]
    warnings: tuple[str, ...] = ()


def parse(raw: Any) -> SimulationConfig:
    """Check `raw`; raise ConfigError with everything that is wrong."""
    findings = Findings()
    if not isinstance(raw, dict):
        raise ConfigError([f"the configuration must be a JSON object, not {_kind(raw)}"])
    if "simulation_strategies" in raw or "shared_settings" in raw:
        strategies = _structured(raw, findings)
    else:
        own = modernise(raw, "", findings)
        strategies = [_strategy(own, lambda key: key, findings)]
    if findings.errors:
        raise ConfigError(findings.errors)
    return SimulationConfig(tuple(s for s in strategies if s), tuple(findings.warnings))


def _structured(raw: Mapping[str, Any], findings: Findings) -> list[StrategyConfig | None]:
    for key in raw:
        if key not in ("shared_settings", "simulation_strategies") and not key.startswith("_"):
            findings.error(
                key, "belongs into shared_settings or into an entry of simulation_strategies"
            )
    shared = raw.get("shared_settings", {})
    entries = raw.get("simulation_strategies")
    if not isinstance(shared, dict):
        findings.error("shared_settings", f"must be an object, not {_kind(shared)}")
        shared = {}
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_STRATEGIES:
        findings.error("simulation_strategies", f"must be a list of 1 to {MAX_STRATEGIES} objects")
        return []
    shared = modernise(shared, "shared_settings.", findings)
    return [_entry(entry, index, shared, findings) for index, entry in enumerate(entries)]


def _entry(
    entry: Any, index: int, shared: Mapping[str, Any], findings: Findings
) -> StrategyConfig | None:
    prefix = f"simulation_strategies.{index}."
    if not isinstance(entry, dict):
        findings.error(prefix[:-1], f"must be an object, not {_kind(entry)}")
        return None
    own = modernise(entry, prefix, findings)
    for key in sorted(SIMULATION_FIELDS & own.keys() - {"seed"}):
        findings.error(prefix + key, "belongs to the whole simulation; move it to shared_settings")

    def path(key: str) -> str:
        name = key.split(".")[0]
        inherited = name in shared and name not in own
        return f"shared_settings.{key}" if inherited else prefix + key

    return _strategy({**shared, **own}, path, findings)


def _strategy(raw: Mapping[str, Any], path: Path, findings: Findings) -> StrategyConfig | None:
    values = dict(raw)
    invalid: set[str] = set()
    _check_schedule(values, path, findings, invalid)
    config = _validate(StrategyConfig, values, path, findings, invalid)
    if config is None:
        kept = {key: value for key, value in values.items() if key not in invalid}
        missing = {key: value for key, value in PLACEHOLDERS.items() if key not in kept}
        config = StrategyConfig.model_validate({**kept, **missing})
    check(config, path, findings, invalid)
    return None if invalid else config


def _check_schedule(
    values: dict[str, Any], path: Path, findings: Findings, invalid: set[str]
) -> None:
    entries = values.get("attack_schedule")
    if not isinstance(entries, list):
        return
    checked = [_attack_entry(entry, index, path, findings) for index, entry in enumerate(entries)]
    if None in checked:
        invalid.add("attack_schedule")
    values["attack_schedule"] = [entry for entry in checked if entry is not None]


def _attack_entry(entry: Any, index: int, path: Path, findings: Findings) -> AttackEntry | None:
    def inner(key: str) -> str:
        return path(f"attack_schedule.{index}.{key}" if key else f"attack_schedule.{index}")

    if not isinstance(entry, dict):
        findings.error(inner(""), f"must be an object, not {_kind(entry)}")
        return None
    attack_type = entry.get("attack_type")
    if not isinstance(attack_type, str) or attack_type not in ATTACKS:
        name = attack_type if isinstance(attack_type, str) else repr(attack_type)
        findings.error(inner("attack_type"), unknown("attack", name, ATTACKS))
        return None
    return _validate(entry_class(attack_type), entry, inner, findings, set())


def _validate(
    model: type[M], values: Mapping[str, Any], path: Path, findings: Findings, invalid: set[str]
) -> M | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for problem in error.errors():
            location = ".".join(str(part) for part in problem["loc"])
            findings.error(path(location), sentence(problem, model.model_fields))
            invalid.add(str(problem["loc"][0]))
        return None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
