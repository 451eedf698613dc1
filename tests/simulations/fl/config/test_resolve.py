from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.fl.config import StrategyConfig, as_json, parse, resolve
from simulations.fl.errors import ConfigError

MINIMAL = {
    "aggregation_strategy_keyword": "fedavg",
    "num_of_rounds": 10,
    "dataset_keyword": "mnist5k",
}


def resolved(seed: int = 7, **changes: Any) -> StrategyConfig:
    return resolve(parse(MINIMAL | changes), seed).strategies[0]


def attack(**changes: Any) -> dict[str, Any]:
    entry = {
        "start_round": 1,
        "end_round": 10,
        "attack_type": "gradient_scaling",
        "selection_strategy": "random",
        "malicious_client_count": 3,
    }
    return entry | changes


def attackers(config: StrategyConfig) -> list[list[int] | None]:
    return [entry.selected_client_ids for entry in config.attack_schedule]


def test_the_defaults_of_the_dataset_are_filled_in() -> None:
    config = resolved()
    assert (config.model_keyword, config.model_type) == ("cnn", "cnn")
    assert (config.partitioning_strategy, config.partitioning_params) == ("iid", {})


def test_a_given_seed_wins_over_the_drawn_one() -> None:
    assert resolved(seed=7).seed == 7
    assert resolve(parse(MINIMAL | {"seed": 3}), 7).strategies[0].seed == 3


def test_strict_mode_is_off_when_clients_are_removed_or_sampled() -> None:
    assert resolved().strict_mode is True
    assert resolved(remove_clients=True).strict_mode is False
    assert resolved(fraction_fit=0.5).strict_mode is False


def test_the_fraction_sets_how_many_clients_train() -> None:
    config = resolved(fraction_fit=0.35, num_of_clients=20)
    assert config.min_fit_clients == 7
    assert config.min_evaluate_clients == 20


def test_f_is_the_number_of_distinct_attackers() -> None:
    schedule = [
        attack(selection_strategy="specific", malicious_client_ids=[1, 2], end_round=3),
        attack(selection_strategy="specific", malicious_client_ids=[2, 5], start_round=4),
    ]
    assert resolved(attack_schedule=schedule).num_of_malicious_clients == 3
    assert (
        resolved(attack_schedule=schedule, num_of_malicious_clients=1).num_of_malicious_clients == 1
    )


@pytest.mark.parametrize(("share", "count"), [(0.2, 2), (0.29, 2), (0.01, 1), (1.0, 10)])
def test_a_percentage_is_rounded_down_but_at_least_one(share: float, count: int) -> None:
    entry = attack(selection_strategy="percentage", malicious_percentage=share)
    assert len(attackers(resolved(attack_schedule=[entry]))[0] or []) == count


def test_attackers_follow_from_the_seed_and_the_place_of_the_entry() -> None:
    schedule = [attack(), attack(start_round=1, attack_type="gradient_scaling", end_round=1)]
    schedule[0] |= {"start_round": 2}
    first = attackers(resolved(attack_schedule=schedule))
    assert first == attackers(resolved(attack_schedule=schedule))
    assert first[0] != first[1]
    others = [attackers(resolved(seed=seed, attack_schedule=schedule)) for seed in range(5)]
    assert any(other != first for other in others)


def test_a_random_seed_of_the_entry_fixes_its_attackers() -> None:
    schedule = [attack(random_seed=11)]
    assert attackers(resolved(1, attack_schedule=schedule)) == attackers(
        resolved(2, attack_schedule=schedule)
    )


@given(seed=st.integers(0, 2**31), counts=st.lists(st.integers(1, 5), min_size=2, max_size=2))
def test_random_entries_of_one_attack_never_share_a_client(seed: int, counts: list[int]) -> None:
    schedule = [attack(malicious_client_count=count) for count in counts]
    first, second = attackers(resolved(seed, attack_schedule=schedule))
    assert set(first or ()).isdisjoint(second or ())


def test_too_many_random_attackers_in_the_same_rounds_are_refused() -> None:
    schedule = [
        attack(malicious_client_count=4),
        attack(malicious_client_count=4),
        attack(malicious_client_count=4),
    ]
    with pytest.raises(ConfigError, match=r"attack_schedule\.2: needs 4 clients, but only 2"):
        resolved(attack_schedule=schedule)


def test_resolving_again_changes_nothing() -> None:
    once = as_json(resolved(attack_schedule=[attack()], remove_clients=True))
    again = resolve(parse(once), 99)
    assert as_json(again.strategies[0]) == once
    assert again.warnings == ()


def test_every_strategy_has_the_same_seed_and_attackers() -> None:
    config = resolve(
        parse(
            {
                "shared_settings": MINIMAL | {"attack_schedule": [attack()]},
                "simulation_strategies": [{"aggregation_strategy_keyword": "fedavg"}, {}],
            }
        ),
        5,
    )
    assert {strategy.seed for strategy in config.strategies} == {5}
    assert attackers(config.strategies[0]) == attackers(config.strategies[1])


def test_strategies_of_one_keyword_are_told_apart_by_what_differs() -> None:
    config = resolve(
        parse(
            {
                "shared_settings": MINIMAL,
                "simulation_strategies": [{"batch_size": 8}, {"batch_size": 16}, {}, {}],
            }
        ),
        5,
    )
    names = [strategy.strategy_name for strategy in config.strategies]
    assert names[:2] == ["fedavg (batch_size=8)", "fedavg (batch_size=16)"]
    assert len(set(names)) == 4
