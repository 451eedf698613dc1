from __future__ import annotations

from typing import Any

import pytest

from simulations.fl.config import parse
from simulations.fl.errors import ConfigError

MINIMAL = {
    "aggregation_strategy_keyword": "fedavg",
    "num_of_rounds": 10,
    "dataset_keyword": "mnist5k",
}
ENTRY = {
    "start_round": 2,
    "end_round": 5,
    "attack_type": "gradient_scaling",
    "selection_strategy": "specific",
    "malicious_client_ids": [1, 2],
}


def refused(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(MINIMAL | changes)
    return "\n".join(caught.value.errors)


def attacked(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return changes | {"attack_schedule": [ENTRY | entry for entry in entries]}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        (attacked({"start_round": 6}), "attack_schedule.0.end_round", "not be before start_round"),
        (attacked({"end_round": 11}), "attack_schedule.0.end_round", "at most num_of_rounds (10)"),
        (
            attacked({"malicious_client_ids": [10]}),
            "attack_schedule.0.malicious_client_ids",
            "client 10 does not exist; clients are 0 to 9",
        ),
        (
            attacked({"malicious_client_ids": [-1]}),
            "attack_schedule.0.malicious_client_ids",
            "client -1 does not exist",
        ),
        (
            attacked({"selection_strategy": "random"}),
            "attack_schedule.0.malicious_client_count",
            "is required with selection_strategy 'random'",
        ),
        (
            attacked({"selection_strategy": "count", "malicious_client_count": 11}),
            "attack_schedule.0.malicious_client_count",
            "at most num_of_clients (10), not 11",
        ),
        (
            attacked({}, {"start_round": 5, "end_round": 9, "malicious_client_ids": [2, 3]}),
            "attack_schedule.1",
            "both name client 2",
        ),
        (
            attacked(
                {"malicious_client_ids": [0, 1, 2, 3, 4, 5]},
                {"selection_strategy": "random", "malicious_client_count": 5},
            ),
            "attack_schedule.1",
            "together they need 11 of 10 clients",
        ),
        (attacked({}, preserve_dataset=True), "preserve_dataset", "poisoned data"),
        ({"num_of_malicious_clients": 11}, "num_of_malicious_clients", "at most num_of_clients"),
        (
            {"aggregation_strategy_keyword": "krum", "num_of_malicious_clients": 4},
            "num_of_malicious_clients",
            "4 is too many for krum with 10 clients a round: it needs at least 2f + 3 = 11 clients",
        ),
        (
            {"aggregation_strategy_keyword": "bulyan", "num_of_malicious_clients": 2},
            "num_of_malicious_clients",
            "it needs at least 4f + 3 = 11 clients",
        ),
        (
            {"aggregation_strategy_keyword": "trimmed_mean", "num_of_malicious_clients": 5},
            "trim_ratio",
            "leaves nothing to average",
        ),
        (
            {"aggregation_strategy_keyword": "multi-krum", "num_krum_selections": 11},
            "num_krum_selections",
            "at most the 10 clients of a round, not 11",
        ),
        ({"remove_clients": True, "strict_mode": True}, "strict_mode", "set one of them to false"),
        ({"fraction_fit": 0.5, "strict_mode": True}, "strict_mode", "a fraction is below 1"),
        (
            {"remove_clients": True, "begin_removing_from_round": 10},
            "begin_removing_from_round",
            "could never fire",
        ),
        (
            {"remove_clients": True, "termination_policy": "strict"},
            "termination_policy",
            "at the first removal",
        ),
        ({"min_fit_clients": 11}, "min_fit_clients", "at most num_of_clients (10), not 11"),
        ({"min_evaluate_clients": 11}, "min_evaluate_clients", "at most num_of_clients"),
        ({"num_of_clients": 4_001}, "num_of_clients", "which has 4000 training samples"),
        ({"hf_dataset_name": "ylecun/mnist"}, "dataset_keyword", "not both"),
        ({"dataset_keyword": None}, "dataset_keyword", "is required"),
        ({"dataset_keyword": "mnist5"}, "dataset_keyword", "did you mean 'mnist5k'?"),
        (
            {"aggregation_strategy_keyword": "krumm"},
            "aggregation_strategy_keyword",
            "did you mean 'krum'?",
        ),
        ({"partitioning_strategy": "dirichle"}, "partitioning_strategy", "'dirichlet'?"),
        (
            {"partitioning_strategy": "dirichlet", "partitioning_params": {"alpha": 0}},
            "partitioning_params.alpha",
            "must be greater than 0, not 0",
        ),
        (
            {"partitioning_strategy": "dirichlet", "partitioning_params": {"alpha": [1, 0]}},
            "partitioning_params.alpha.1",
            "must be greater than 0, not 0",
        ),
        (
            {"partitioning_strategy": "dirichlet", "partitioning_params": {"alpha": "a"}},
            "partitioning_params.alpha",
            "must be a number, not 'a'",
        ),
        (
            {"partitioning_strategy": "dirichlet", "partitioning_params": {"alpha": [1.0] * 9}},
            "partitioning_params.alpha",
            "must have one entry for each client, 10 in all, not 9",
        ),
        (
            {"partitioning_strategy": "dirichlet", "partitioning_params": {"shuffle": True}},
            "partitioning_params.shuffle",
            "unknown field 'shuffle'",
        ),
        (
            {"partitioning_strategy": "pathological"},
            "partitioning_params.num_classes_per_partition",
            "is required",
        ),
        (
            {
                "partitioning_strategy": "pathological",
                "partitioning_params": {"num_classes_per_partition": 11},
            },
            "partitioning_params.num_classes_per_partition",
            "at most the 10 classes of the dataset, not 11",
        ),
        (
            {
                "partitioning_strategy": "pathological",
                "partitioning_params": {
                    "num_classes_per_partition": 2,
                    "class_assignment_mode": "lots",
                },
            },
            "partitioning_params.class_assignment_mode",
            "must be 'random', 'deterministic' or 'first-deterministic', not 'lots'",
        ),
        (
            {"partitioning_strategy": "shard"},
            "partitioning_params.num_shards_per_partition",
            "is required, or shard_size",
        ),
        (
            {"partitioning_strategy": "shard", "partitioning_params": {"shard_size": 401}},
            "partitioning_params",
            "needs 10 shards of 401 samples for 10 clients, but there are 4000",
        ),
        (
            {"partitioning_strategy": "size", "partitioning_params": {"partition_sizes": [1, 2]}},
            "partitioning_params.partition_sizes",
            "one entry for each client, 10 in all, not 2",
        ),
        (
            {
                "partitioning_strategy": "size",
                "partitioning_params": {"partition_sizes": [401] * 10},
            },
            "partitioning_params.partition_sizes",
            "asks for 4010 samples, but there are 4000",
        ),
        (
            {"partitioning_strategy": "exponential", "num_of_clients": 40},
            "partitioning_strategy",
            "use at most 8 clients",
        ),
        (
            {
                "partitioning_strategy": "distribution",
                "num_of_clients": 12,
                "partitioning_params": {
                    "distribution_array": [[1.0]] * 9,
                    "num_unique_labels_per_partition": 1,
                    "preassigned_num_samples_per_label": 0,
                },
            },
            "num_of_clients",
            "must be a multiple of the 10 classes",
        ),
        (
            {"partitioning_strategy": "natural_id"},
            "partitioning_strategy",
            "natural_id divides by natural id, but mnist5k has none; use iid",
        ),
        ({"partitioning_params": {"alpha": 1}}, "partitioning_params", "needs partitioning_strate"),
        ({"model_keyword": "cn"}, "model_keyword", "did you mean 'cnn'?"),
        (
            {"dataset_keyword": "digits", "model_keyword": "cnn"},
            "model_keyword",
            "needs images of 16 pixels or more, digits has 8; fitting are cnn_wide",
        ),
        ({"lora_rank": 4}, "lora_rank", "has an effect only with"),
    ],
)
def test_a_combination_that_cannot_run_is_refused(
    changes: dict[str, Any], path: str, words: str
) -> None:
    message = refused(**changes)
    assert f"{path}: " in message
    assert words in message


@pytest.mark.parametrize(
    "changes",
    [
        attacked({}, {"start_round": 6, "end_round": 9}),
        attacked({}, {"malicious_client_ids": [3]}),
        {"aggregation_strategy_keyword": "krum", "num_of_malicious_clients": 3},
        {
            "aggregation_strategy_keyword": "krum",
            "num_of_malicious_clients": 4,
            "waive_preconditions": True,
        },
        {"aggregation_strategy_keyword": "trimmed_mean", "num_of_malicious_clients": 4},
        {"remove_clients": True, "termination_policy": "strict", "min_fit_clients": 5},
        {"remove_clients": True, "begin_removing_from_round": 9},
        {"num_of_clients": 4_000},
        {"fraction_fit": 0.5},
        {"dataset_keyword": "digits", "model_keyword": "cnn_wide"},
        {"dataset_keyword": "digits", "model_keyword": "resnet_gn", "model_type": "cnn"},
        {"partitioning_strategy": "exponential", "num_of_clients": 8},
        {"partitioning_strategy": "size", "partitioning_params": {"partition_sizes": [400] * 10}},
        {
            "partitioning_strategy": "pathological",
            "partitioning_params": {"num_classes_per_partition": 10},
        },
        {"partitioning_strategy": "shard", "partitioning_params": {"shard_size": 400}},
        {"dataset_keyword": "femnist_iid", "partitioning_strategy": "natural_id"},
        {"dataset_keyword": "femnist_niid", "num_of_clients": 3_000},
        # What the run finds out, it is asked then.
        {
            "dataset_keyword": None,
            "hf_dataset_name": "someone/pictures",
            "partitioning_strategy": "natural_id",
        },
    ],
)
def test_what_lies_just_inside_the_rules_is_accepted(changes: dict[str, Any]) -> None:
    parse(MINIMAL | changes)
