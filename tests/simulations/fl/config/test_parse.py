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


def errors_of(raw: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(raw)
    return caught.value.errors


def scaling(**changes: Any) -> dict[str, Any]:
    entry = {
        "start_round": 1,
        "end_round": 5,
        "attack_type": "gradient_scaling",
        "selection_strategy": "specific",
        "malicious_client_ids": [1],
    }
    return entry | changes


def test_three_keys_are_a_complete_configuration() -> None:
    strategy = parse(MINIMAL).strategies[0]
    assert (strategy.num_of_clients, strategy.batch_size, strategy.optimizer) == (10, 32, "adam")


def test_structured_strategies_override_shared_settings() -> None:
    config = parse(
        {
            "shared_settings": MINIMAL | {"batch_size": 8},
            "simulation_strategies": [{}, {"batch_size": 16, "num_of_rounds": 4}],
        }
    )
    assert [s.batch_size for s in config.strategies] == [8, 16]
    assert [s.num_of_rounds for s in config.strategies] == [10, 4]


def test_all_errors_are_told_at_once_with_their_paths() -> None:
    errors = errors_of(
        {
            "shared_settings": {"num_of_rounds": 0, "dataset_keyword": "mnist5k"},
            "simulation_strategies": [
                {"aggregation_strategy_keyword": "fedavg", "trim_ratio": 0.7},
                {"aggregation_strategy_keyword": "fedavg", "batch_size": "8", "batchsize": 1},
            ],
        }
    )
    assert sorted(errors) == sorted(
        [
            "simulation_strategies.0.trim_ratio: must be less than 0.5, not 0.7",
            "shared_settings.num_of_rounds: must be at least 1, not 0",
            "simulation_strategies.1.batch_size: must be a whole number, not '8'",
            "simulation_strategies.1.batchsize: unknown field 'batchsize'; "
            "did you mean 'batch_size'?",
        ]
    )


def test_field_errors_and_rules_are_told_together() -> None:
    errors = errors_of(MINIMAL | {"batch_size": 0, "num_of_malicious_clients": 11})
    assert errors == [
        "batch_size: must be at least 1, not 0",
        "num_of_malicious_clients: must be at most num_of_clients (10), not 11",
    ]


def test_a_rule_is_silent_about_fields_that_are_invalid_themselves() -> None:
    errors = errors_of(MINIMAL | {"num_of_clients": "many", "num_of_malicious_clients": 11})
    assert errors == ["num_of_clients: must be a whole number, not 'many'"]


@pytest.mark.parametrize("raw", [[], None, "fedavg", 3, True])
def test_anything_but_an_object_is_refused(raw: Any) -> None:
    assert errors_of(raw)[0].startswith("the configuration must be a JSON object, not ")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"shared_settings": MINIMAL}, "simulation_strategies: must be a list of 1 to 100 objects"),
        (
            {"shared_settings": MINIMAL, "simulation_strategies": []},
            "simulation_strategies: must be a list of 1 to 100 objects",
        ),
        (
            {"shared_settings": [], "simulation_strategies": [MINIMAL]},
            "shared_settings: must be an object, not a list",
        ),
        (
            {"simulation_strategies": [3]},
            "simulation_strategies.0: must be an object, not a number",
        ),
        (
            {"simulation_strategies": [MINIMAL], "num_of_rounds": 3},
            "num_of_rounds: belongs into shared_settings or into an entry of simulation_strategies",
        ),
        (
            {"simulation_strategies": [MINIMAL | {"notes": "x"}]},
            "simulation_strategies.0.notes: belongs to the whole simulation; "
            "move it to shared_settings",
        ),
    ],
)
def test_a_broken_structure_is_named(raw: Any, message: str) -> None:
    assert message in errors_of(raw)


def test_comments_are_ignored_everywhere() -> None:
    config = parse(
        MINIMAL | {"_why": "a comment", "attack_schedule": [scaling(_note="another comment")]}
    )
    assert config.warnings == ()


def test_retired_keys_are_accepted_with_a_warning() -> None:
    config = parse(MINIMAL | {"add_to_queue": True, "transformer_model": "x"})
    assert [warning.split(":")[0] for warning in config.warnings] == [
        "add_to_queue",
        "transformer_model",
    ]


def test_parameters_of_another_attack_are_accepted_with_a_warning() -> None:
    config = parse(MINIMAL | {"attack_schedule": [scaling(flip_fraction=0.5)]})
    assert config.warnings == (
        "attack_schedule.0.flip_fraction: has no effect: gradient_scaling has no such parameter",
    )


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False)])
def test_booleans_as_strings_are_read_with_a_warning(text: str, value: bool) -> None:
    config = parse(MINIMAL | {"save_csv": text})
    assert config.strategies[0].save_csv is value
    assert config.warnings == (f'save_csv: the string "{text}" is read as a boolean',)


def test_other_strings_are_no_booleans() -> None:
    assert errors_of(MINIMAL | {"save_csv": "yes"}) == [
        "save_csv: must be true or false, not 'yes'"
    ]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("num_of_rounds", 1.5, "must be a whole number, not 1.5"),
        ("num_of_rounds", True, "must be a whole number, not true"),
        ("num_of_rounds", 10_001, "must be at most 10000, not 10001"),
        ("learning_rate", 0, "must be greater than 0, not 0"),
        ("learning_rate", float("nan"), "must be a finite number, not nan"),
        ("optimizer", "lbfgs", "must be 'adam', 'sgd' or 'adamw', not 'lbfgs'"),
        ("tags", "a", "must be a list, not 'a'"),
        ("display_name", "x" * 101, "must have at most 100 characters"),
        ("seed", -1, "must be at least 0, not -1"),
        ("seed", 2**63, "must be at most 9223372036854775807, not 9223372036854775808"),
    ],
)
def test_a_value_outside_its_limits_is_refused(field: str, value: Any, message: str) -> None:
    assert f"{field}: {message}" in errors_of(MINIMAL | {field: value})


def test_an_unknown_attack_names_the_nearest() -> None:
    errors = errors_of(MINIMAL | {"attack_schedule": [scaling(attack_type="gradient_scalin")]})
    assert errors == [
        "attack_schedule.0.attack_type: unknown attack 'gradient_scalin'; "
        "did you mean 'gradient_scaling'?"
    ]


def test_an_attack_parameter_is_checked_at_its_path() -> None:
    errors = errors_of(MINIMAL | {"attack_schedule": [scaling(), scaling(scale_factor="2")]})
    assert errors == ["attack_schedule.1.scale_factor: must be a number, not '2'"]
