"""What is told to change nothing, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from simulations.fl.config import StrategyConfig, parse
from simulations.fl.config.fields import declared
from simulations.fl.config.usage import OF_STRATEGIES, unused
from simulations.fl.errors import ConfigError
from simulations.fl.strategies import STRATEGIES

KEYWORD = "aggregation_strategy_keyword"


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_a_strategy_uses_what_it_declares_and_no_other_rules_parameters(keyword: str) -> None:
    reasons = unused({KEYWORD: keyword})
    used = OF_STRATEGIES - reasons.keys()
    assert used >= set(STRATEGIES[keyword].parameters)
    followed = {declared(name).get("follows") for name in STRATEGIES[keyword].parameters}
    assert used - set(STRATEGIES[keyword].parameters) <= followed
    assert ("remove_clients" in reasons) is not STRATEGIES[keyword].removes


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({"optimizer": "sgd"}, {"momentum"}),
        ({"remove_clients": True}, {"begin_removing_from_round", "termination_policy"}),
        ({"remove_clients": True, "termination_policy": "adaptive"},
         {"begin_removing_from_round", "termination_policy", "min_clients_ratio"}),
        ({"termination_policy": "adaptive"}, set()),
        ({"hf_dataset_name": "a/b"},
         {"dataset_source", "text_column", "label_column", "image_column"}),
        ({"partitioning_strategy": "shard"}, {"partitioning_params"}),
        ({"attack_schedule": [{}]}, {"save_attack_snapshots"}),
        ({"save_attack_snapshots": True}, set()),
        ({"attack_schedule": [{}], "save_attack_snapshots": True},
         {"save_attack_snapshots", "attack_snapshot_format", "snapshot_max_samples"}),
        ({"num_of_rounds": "x", "dataset_keyword": [], "optimizer": {}}, set()),
    ],
)  # fmt: skip
def test_a_setting_is_used_where_what_it_needs_is_set(
    given: dict[str, Any], used: set[str]
) -> None:
    base = {KEYWORD: "krum"}
    assert unused(base).keys() - unused({**base, **given}).keys() == used


def test_transformers_use_what_their_task_and_finetuning_need() -> None:
    text = {"dataset_keyword": "reuters_r8", KEYWORD: "fedavg"}
    assert {"lora_rank", "mlm_probability"} <= unused({KEYWORD: "fedavg"}).keys()
    assert not {"lora_rank", "mlm_probability", "llm_model"} & unused(text).keys()
    chosen = {**text, "llm_task": "classification", "llm_finetuning": "full"}
    assert {"lora_rank", "mlm_probability"} <= unused(chosen).keys()


def test_what_is_needed_is_a_setting_with_that_value() -> None:
    for name in StrategyConfig.model_fields:
        needed, *values = declared(name).get("needs", ("seed",))
        assert needed in StrategyConfig.model_fields
        for value in values:
            config = {KEYWORD: "fedavg", "num_of_rounds": 1, "dataset_keyword": "digits"}
            try:
                parse({**config, needed: value})
            except ConfigError as error:
                told = [text for text in error.errors if text.startswith(f"{needed}:")]
                assert not any("must be" in text for text in told), told


def test_a_field_without_a_choice_changes_nothing() -> None:
    assert "num_of_clusters" in unused({KEYWORD: "trust"})
