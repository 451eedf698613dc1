"""Fill in what follows from other settings: the seed, the defaults by dataset, the attackers."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulations.fl.config.dataset import columns, described
from simulations.fl.config.fields import SIMULATION_FIELDS, StrategyConfig
from simulations.fl.config.findings import Findings
from simulations.fl.config.parse import SimulationConfig
from simulations.fl.config.participation import evaluate_clients, fit_clients
from simulations.fl.config.schedule import AttackEntry
from simulations.fl.config.text import network_of, text_defaults
from simulations.fl.errors import ConfigError
from simulations.fl.generators import Purpose, generator
from simulations.fl.networks import NETWORKS
from simulations.fl.partitions import PARTITIONS
from simulations.fl.strategies import STRATEGIES


def resolve(config: SimulationConfig, drawn_seed: int) -> SimulationConfig:
    """Return `config` with nothing left open; resolving it again changes nothing.

    `drawn_seed` is used where no seed is given, the same for every strategy.
    """
    names = _labels(config.strategies)
    findings = Findings()
    strategies: list[StrategyConfig] = []
    for number, strategy in enumerate(config.strategies):
        try:
            strategies.append(_resolve(strategy, names[number], drawn_seed))
        except ConfigError as error:
            for message in error.errors:
                path = f"simulation_strategies.{number}." if len(config.strategies) > 1 else ""
                findings.error("", path + message)
    if findings.errors:
        raise ConfigError(findings.errors)
    return SimulationConfig(tuple(strategies), config.warnings)


def as_json(strategy: StrategyConfig) -> dict[str, Any]:
    """Return a strategy's settings as plain JSON values, without those of the whole simulation."""
    return strategy.model_dump(mode="json", exclude=set(SIMULATION_FIELDS - {"seed"}))


def _resolve(config: StrategyConfig, name: str, drawn_seed: int) -> StrategyConfig:
    seed = drawn_seed if config.seed is None else config.seed
    schedule = _select_attackers(config, seed)
    attackers = {client for entry in schedule for client in entry.selected_client_ids or ()}
    settings: dict[str, Any] = {
        "seed": seed,
        "strategy_name": name,
        "attack_schedule": schedule,
        "num_of_malicious_clients": _or(config.num_of_malicious_clients, len(attackers)),
        **_data_defaults(config),
        **text_defaults(config),
        **_participation_defaults(config),
    }
    settings |= _strategy_defaults(config, settings["num_of_malicious_clients"])
    return config.model_copy(update=settings)


def _data_defaults(config: StrategyConfig) -> dict[str, Any]:
    dataset = described(config)
    network = network_of(config, dataset.network)
    partition = config.partitioning_strategy or dataset.partitioning
    given = config.partitioning_params
    if config.partitioning_strategy is None:
        given = dict(dataset.partitioning_params)
    return {
        "model_keyword": network,
        "model_type": NETWORKS[network].model_type,
        "partitioning_strategy": partition,
        "partitioning_params": PARTITIONS[partition]
        .params(**(given or {}))
        .model_dump(exclude_none=True),
        **columns(dataset),
    }


def _participation_defaults(config: StrategyConfig) -> dict[str, Any]:
    sampled = config.fraction_fit < 1 or config.fraction_evaluate < 1
    return {
        "min_fit_clients": fit_clients(config),
        "min_evaluate_clients": evaluate_clients(config),
        "min_available_clients": _or(config.min_available_clients, config.num_of_clients),
        "strict_mode": _or(config.strict_mode, not (config.remove_clients or sampled)),
    }


def _strategy_defaults(config: StrategyConfig, f: int) -> dict[str, Any]:
    used = STRATEGIES[config.aggregation_strategy_keyword].parameters
    n = fit_clients(config)
    defaults: dict[str, Any] = {}
    if "num_krum_selections" in used:
        defaults["num_krum_selections"] = _or(config.num_krum_selections, max(1, n - f))
    if "trim_ratio" in used:
        defaults["trim_ratio"] = _or(config.trim_ratio, f / n if f else 0.1)
    return defaults


def _select_attackers(config: StrategyConfig, seed: int) -> list[AttackEntry]:
    """Choose each entry's clients, named ones first, apart from overlapping entries of its type."""
    chosen: dict[int, AttackEntry] = {}
    order = sorted(
        range(len(config.attack_schedule)),
        key=lambda i: config.attack_schedule[i].selection_strategy != "specific",
    )
    for index in order:
        entry = config.attack_schedule[index]
        taken = _clients_of_overlapping(entry, chosen.values())
        ids = entry.selected_client_ids or _choose(entry, index, config.num_of_clients, seed, taken)
        chosen[index] = entry.model_copy(update={"selected_client_ids": ids})
    return [chosen[index] for index in range(len(chosen))]


def _choose(
    entry: AttackEntry, index: int, num_clients: int, seed: int, taken: set[int]
) -> list[int]:
    if entry.selection_strategy == "specific":
        return sorted(set(entry.malicious_client_ids or ()))
    free = [client for client in range(num_clients) if client not in taken]
    count = entry.number_of_attackers(num_clients)
    if count > len(free):
        raise ConfigError(
            [
                f"attack_schedule.{index}: needs {count} clients, but only {len(free)} are free of "
                f"{entry.attack_type} in these rounds; separate the rounds or select fewer"
            ]
        )
    if entry.random_seed is None:
        rng = generator(seed, Purpose.ATTACKER_SELECTION, index)
    else:
        rng = np.random.default_rng(entry.random_seed)
    return sorted(int(client) for client in rng.choice(free, size=count, replace=False))


def _clients_of_overlapping(entry: AttackEntry, others: Any) -> set[int]:
    return {
        client
        for other in others
        if other.attack_type == entry.attack_type
        and other.start_round <= entry.end_round
        and entry.start_round <= other.end_round
        for client in other.selected_client_ids
    }


def _labels(strategies: tuple[StrategyConfig, ...]) -> list[str]:
    """Return a distinct label for each strategy: its keyword, and what differs among twins."""
    labels = [s.strategy_name or s.aggregation_strategy_keyword for s in strategies]
    for index, strategy in enumerate(strategies):
        twins = [
            other
            for place, other in enumerate(strategies)
            if place != index
            and other.aggregation_strategy_keyword == strategy.aggregation_strategy_keyword
        ]
        if twins and strategy.strategy_name is None:
            labels[index] += _difference(strategy, twins)
    return [
        f"{label[:90]} #{index}" if labels.count(label) > 1 else label[:100]
        for index, label in enumerate(labels)
    ]


def _difference(strategy: StrategyConfig, twins: list[StrategyConfig]) -> str:
    differing = [
        f"{name}={getattr(strategy, name)}"
        for name in StrategyConfig.model_fields
        if name not in ("attack_schedule", "strategy_name")
        and any(getattr(twin, name) != getattr(strategy, name) for twin in twins)
    ]
    return f" ({', '.join(differing)})" if differing else ""


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
