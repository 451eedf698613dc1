"""What files of older tools still contain: comments, retired keys, booleans as strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.fl.attacks import ATTACKS
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.findings import Findings
from simulations.fl.config.schedule import belongs_elsewhere

RETIRED = {
    "add_to_queue": "every run is queued",
    "strategy_number": "strategies are numbered by their place in the list",
    "attack_type": "attacks are listed in attack_schedule",
    "attack_ratio": "attacks are listed in attack_schedule, with their own parameters",
    "gaussian_noise_mean": "use target_noise_snr in an attack_schedule entry",
    "gaussian_noise_std": "use target_noise_snr in an attack_schedule entry",
    "reputation_threshold": "use trust_threshold",
    "transformer_model": "use llm_model",
    "dynamic_attacks": "use attack_schedule",
}
BOOLEANS = frozenset(
    name for name, field in StrategyConfig.model_fields.items() if field.annotation is bool
) | {"strict_mode"}
TRUTH = {"true": True, "false": False}


def modernise(raw: Mapping[str, Any], path: str, findings: Findings) -> dict[str, Any]:
    """Return `raw` without comments and retired keys, and with real booleans; warn of each."""
    clean: dict[str, Any] = {}
    for key, value in raw.items():
        if key.startswith("_"):
            continue
        if key in RETIRED:
            findings.warn(f"{path}{key}", f"has no effect: {RETIRED[key]}")
        elif key in BOOLEANS and isinstance(value, str) and value.lower() in TRUTH:
            findings.warn(f"{path}{key}", f'the string "{value}" is read as a boolean')
            clean[key] = TRUTH[value.lower()]
        elif key == "attack_schedule" and isinstance(value, list):
            clean[key] = [
                _modernise_entry(entry, f"{path}{key}.{index}.", findings)
                for index, entry in enumerate(value)
            ]
        else:
            clean[key] = value
    return clean


def _modernise_entry(entry: Any, path: str, findings: Findings) -> Any:
    if not isinstance(entry, dict):
        return entry
    attack_type = str(entry.get("attack_type"))
    clean: dict[str, Any] = {}
    for key, value in entry.items():
        if key.startswith("_"):
            continue
        if attack_type in ATTACKS and belongs_elsewhere(key, attack_type):
            findings.warn(f"{path}{key}", f"has no effect: {attack_type} has no such parameter")
        else:
            clean[key] = value
    return clean
