"""Rules across fields: what is refused although every field is right by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulations.fl.config import (
    dataset,
    rules_attacks,
    rules_clients,
    rules_data,
    rules_strategy,
    rules_text,
)
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.findings import Findings
from simulations.fl.config.text import TEXT_FIELDS

Rule = Callable[[StrategyConfig], Iterator[tuple[str, str]]]
SCHEDULE = ("attack_schedule",)
CLIENTS = ("num_of_clients",)

# Each rule with the fields it reads; it is asked only when all of them are valid.
RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (rules_data.dataset_is_named_once, ("dataset_keyword", "hf_dataset_name")),
    (rules_data.dataset_is_known, ("dataset_keyword", "hf_dataset_name")),
    (dataset.name_is_well_formed, ("dataset_keyword", "hf_dataset_name")),
    (dataset.columns_are_free, dataset.FIELDS),
    (rules_data.partition_is_known, ("partitioning_strategy", "partitioning_params")),
    (
        rules_data.partition_fits_dataset,
        ("partitioning_strategy", "partitioning_params", "dataset_keyword", *CLIENTS),
    ),
    (rules_data.network_is_known, ("model_type", "model_keyword")),
    (rules_data.network_fits_dataset, ("dataset_keyword", "model_keyword")),
    (rules_data.enough_samples, ("dataset_keyword", *CLIENTS)),
    (rules_text.transformer_is_meant, rules_text.MODEL_FIELDS),
    (rules_text.network_takes_the_data, rules_text.MODEL_FIELDS),
    (
        rules_text.text_settings_need_a_transformer,
        (*rules_text.MODEL_FIELDS, *TEXT_FIELDS),
    ),
    (rules_text.finetuning_is_clear, ("use_lora", "llm_finetuning")),
    (rules_text.task_has_labels, ("llm_task", "dataset_keyword")),
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
    (rules_text.attacks_find_labels, (*SCHEDULE, "llm_task", *rules_text.MODEL_FIELDS)),
    (rules_text.attacks_fit_the_network, (*SCHEDULE, *rules_text.MODEL_FIELDS)),
    (rules_attacks.data_is_not_preserved, (*SCHEDULE, "preserve_dataset")),
)

# As rules, but of what they say only a warning is made.
REMARKS: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (dataset.shape_is_found_later, ("dataset_keyword", "hf_dataset_name")),
)


def check(
    config: StrategyConfig, path: Callable[[str], str], findings: Findings, invalid: set[str]
) -> None:
    """Ask every rule that reads valid fields only; add what they say to `findings`."""
    for rule, fields in RULES:
        if invalid.isdisjoint(fields):
            for location, message in rule(config):
                findings.error(path(location), message)
    for remark, fields in REMARKS:
        if invalid.isdisjoint(fields):
            for location, message in remark(config):
                findings.warn(path(location), message)
