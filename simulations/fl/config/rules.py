"""Rules across fields: what is refused although every field is right by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulations.fl.config import rules_attacks, rules_clients, rules_data, rules_strategy
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.findings import Findings

Rule = Callable[[StrategyConfig], Iterator[tuple[str, str]]]
SCHEDULE = ("attack_schedule",)
CLIENTS = ("num_of_clients",)

# Each rule with the fields it reads; it is asked only when all of them are valid.
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (rules_data.dataset_is_named_once, ("dataset_keyword", "hf_dataset_name")),
    (rules_data.dataset_is_known, ("dataset_keyword", "hf_dataset_name")),
    (rules_data.partition_is_known, ("partitioning_strategy", "partitioning_params")),
    (rules_data.network_is_known, ("model_type", "model_keyword", "use_llm")),
    (rules_data.network_fits_dataset, ("dataset_keyword", "model_keyword")),
    (rules_data.enough_samples, ("dataset_keyword", *CLIENTS)),
    (rules_data.text_settings_need_a_transformer, ("model_type", *rules_data.TEXT_FIELDS)),
    (rules_data.engine_is_available, ("engine",)),
    (rules_strategy.strategy_is_known, ("aggregation_strategy_keyword",)),
    (rules_strategy.enough_clients, rules_strategy.BOUND_FIELDS),
    (rules_strategy.malicious_are_clients, ("num_of_malicious_clients", *CLIENTS)),
    (rules_strategy.something_is_left_to_average, (*rules_strategy.BOUND_FIELDS, "trim_ratio")),
    (rules_strategy.selections_exist, (*rules_strategy.BOUND_FIELDS, "num_krum_selections")),
    (rules_clients.minima_are_reachable, (*CLIENTS, *rules_clients.MINIMA)),
    (
        rules_clients.strict_mode_takes_everyone,
        ("strict_mode", "remove_clients", "fraction_fit", "fraction_evaluate"),
    ),
    (
        rules_clients.removal_can_happen,
        ("remove_clients", "begin_removing_from_round", "num_of_rounds"),
    ),
    (
        rules_clients.strict_termination_leaves_room,
        ("remove_clients", "termination_policy", "min_fit_clients", "fraction_fit", *CLIENTS),
    ),
    (rules_attacks.rounds_exist, (*SCHEDULE, "num_of_rounds")),
    (rules_attacks.attackers_are_chosen, SCHEDULE),
    (rules_attacks.attackers_are_clients, (*SCHEDULE, *CLIENTS)),
    (rules_attacks.same_attack_does_not_overlap, (*SCHEDULE, *CLIENTS)),
    (rules_attacks.attack_fits_data, (*SCHEDULE, "dataset_keyword")),
    (rules_attacks.target_classes_exist, (*SCHEDULE, "dataset_keyword")),
    (rules_attacks.data_is_not_preserved, (*SCHEDULE, "preserve_dataset")),
)


def check(
    config: StrategyConfig, path: Callable[[str], str], findings: Findings, invalid: set[str]
) -> None:
    """Ask every rule that reads valid fields only; add what they refuse to `findings`."""
    for rule, fields in RULES:
        if invalid.isdisjoint(fields):
            for location, message in rule(config):
                findings.error(path(location), message)
