"""Which settings tell the strategies of a simulation apart, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from simulations.artifacts import results
from simulations.artifacts.latex import Cell, Table
from simulations.artifacts.measurements import Measurements
from simulations.fl.config import StrategyConfig

NAMED_UP_TO = 8
NOT_COMPARED = frozenset({"strategy_name"})
SCHEDULE_KEYS = frozenset(
    {"start_round", "end_round", "attack_type", "selection_strategy", "malicious_client_ids"}
    | {"malicious_client_count", "malicious_percentage", "random_seed", "selected_client_ids"}
)


def table(strategies: Sequence[Measurements]) -> Table:
    """Return the settings that differ among strategies; of a single one, those not at default."""
    if len(strategies) == 1:
        return _against_defaults(strategies[0])
    fields = [
        field
        for field in strategies[0].config
        if field not in NOT_COMPARED
        and any(s.config.get(field) != strategies[0].config.get(field) for s in strategies)
    ]
    rows = [
        [Cell(field), *(Cell(describe(field, s.config.get(field))) for s in strategies)]
        for field in fields
    ]
    headings = ["Setting", *(results.name(strategy) for strategy in strategies)]
    return Table(headings, rows, numeric=False)


def describe(field: str, value: Any) -> str:
    """Return a setting's value as people write it."""
    if field == "attack_schedule":
        return "; ".join(describe_attack(entry) for entry in value) or results.NOTHING
    if value is None or value == [] or value == {}:
        return results.NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def describe_attack(entry: Mapping[str, Any]) -> str:
    """Return an entry of the attack schedule: the attack, its parameters, rounds and clients."""
    own = {key: value for key, value in entry.items() if key not in SCHEDULE_KEYS}
    parameters = ", ".join(f"{key}={json.dumps(value)}" for key, value in own.items())
    clients = entry.get("selected_client_ids") or ()
    who = f"{len(clients)} clients"
    if len(clients) <= NAMED_UP_TO:
        who = f"client{'s' * (len(clients) != 1)} {', '.join(map(str, clients))}"
    return (
        str(entry["attack_type"])
        + (f" ({parameters})" if parameters else "")
        + f", rounds {entry['start_round']}–{entry['end_round']}, {who}"
    )


def _against_defaults(strategy: Measurements) -> Table:
    rows = [
        [Cell(field), Cell(describe(field, value))]
        for field, value in strategy.config.items()
        if field not in NOT_COMPARED and value != StrategyConfig.model_fields[field].default
    ]
    return Table(["Setting", results.name(strategy)], rows, numeric=False)
