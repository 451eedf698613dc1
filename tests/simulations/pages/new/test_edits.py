"""What the buttons inside the form do to it."""

from __future__ import annotations

import json

import pytest

from simulations.pages.new import draft as drafts
from simulations.pages.new.draft import Draft
from simulations.pages.new.edits import edited

KEYWORD = "aggregation_strategy_keyword"
SIDE_BY_SIDE = {
    "shared_settings": {"num_of_rounds": 6, "attack_schedule": [{"start_round": 1}]},
    "simulation_strategies": [
        {KEYWORD: "fedavg"},
        {KEYWORD: "krum", "_why": "b", "attack_schedule": [{"end_round": 2}, {"end_round": 3}]},
        {KEYWORD: "rfa", "_why": "c"},
    ],
}


def config_after(draft: Draft, action: str, **form: str) -> dict[str, object]:
    config, errors = edited(draft, action, form).config()
    assert errors == {}
    return config


def test_a_strategy_that_is_removed_takes_only_its_own_settings_along() -> None:
    draft = drafts.drafted(SIDE_BY_SIDE)
    config = config_after(draft, "remove-strategy simulation_strategies.1")
    assert config == {
        "shared_settings": SIDE_BY_SIDE["shared_settings"],
        "simulation_strategies": [{KEYWORD: "fedavg"}, {KEYWORD: "rfa", "_why": "c"}],
    }


def test_the_last_strategy_stays() -> None:
    draft = drafts.drafted({"simulation_strategies": [{KEYWORD: "krum"}]})
    assert edited(draft, "remove-strategy simulation_strategies.0", {}) == draft


def test_a_second_strategy_shares_everything_but_what_rules_differ_in() -> None:
    flat = {KEYWORD: "krum", "num_of_malicious_clients": 2, "seed": 4, "_why": 1, "tags": []}
    assert config_after(drafts.drafted(flat), "add-strategy") == {
        "shared_settings": {"seed": 4, "_why": 1, "tags": []},
        "simulation_strategies": [{KEYWORD: "krum", "num_of_malicious_clients": 2}, {}],
    }
    three = config_after(drafts.drafted(SIDE_BY_SIDE), "add-strategy")
    assert three["simulation_strategies"] == [*SIDE_BY_SIDE["simulation_strategies"], {}]


def test_an_attack_of_one_strategy_is_removed_and_the_later_ones_move_up() -> None:
    draft = drafts.drafted(SIDE_BY_SIDE)
    place = "simulation_strategies.1.attack_schedule.0"
    config = config_after(draft, f"remove-attack {place}")
    assert config["simulation_strategies"][1]["attack_schedule"] == [{"end_round": 3}]  # type: ignore[index]
    assert config["shared_settings"] == SIDE_BY_SIDE["shared_settings"]


def test_what_other_says_about_entries_moves_with_them() -> None:
    entries = [{"start_round": 1, "_why": "a"}, {"start_round": 2, "_why": "b"}]
    draft = drafts.drafted({"attack_schedule": entries})
    config = config_after(draft, "remove-attack attack_schedule.0")
    assert config == {"attack_schedule": [entries[1]]}


def test_an_attack_is_added_for_all_rounds_of_its_strategy() -> None:
    draft = drafts.drafted(SIDE_BY_SIDE)
    prefix = "simulation_strategies.2."
    form = {f"{prefix}new_attack": "label_flipping"}
    config, _ = edited(draft, f"add-attack {prefix}", form).config()
    assert config["simulation_strategies"][2]["attack_schedule"] == [
        {
            "attack_type": "label_flipping",
            "start_round": 1,
            "end_round": 6,
            "selection_strategy": "count",
            "malicious_client_count": 1,
        }
    ]
    assert edited(draft, f"add-attack {prefix}", {}) == draft


def test_a_setting_is_overridden_beginning_with_the_shared_value() -> None:
    prefix = "simulation_strategies.0."
    form = {f"{prefix}new_setting": "num_of_rounds"}
    draft = edited(drafts.drafted(SIDE_BY_SIDE), f"add-setting {prefix}", form)
    assert draft.texts[f"{prefix}num_of_rounds"] == "6"
    assert edited(draft, f"add-setting {prefix}", form) == draft
    assert edited(draft, f"add-setting {prefix}", {f"{prefix}new_setting": "notes"}) == draft


@pytest.mark.parametrize("other", ["{", "[1]"])
def test_what_cannot_be_read_is_kept(other: str) -> None:
    draft = Draft({KEYWORD: "krum", "attack_schedule.0.start_round": "x"}, 0, other)
    for action in ("add-strategy", "remove-attack attack_schedule.0"):
        assert edited(draft, action, {}).other == other


def test_no_more_strategies_than_can_run() -> None:
    draft = Draft({}, 100)
    assert edited(draft, "add-strategy", {}).count == 100
    assert json.dumps(draft.config()[0])
