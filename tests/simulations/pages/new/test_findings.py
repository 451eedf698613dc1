"""Sentences about a configuration stand with the field they are about."""

from __future__ import annotations

import pytest

from simulations.pages.new.findings import placed

PLACES = {
    "num_of_rounds",
    "trim_ratio",
    "attack_schedule",
    "attack_schedule.0",
    "attack_schedule.0.end_round",
    "simulation_strategies.1",
    "simulation_strategies.1.trim_ratio",
}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("num_of_rounds", "num_of_rounds"),
        ("shared_settings.num_of_rounds", "num_of_rounds"),
        ("simulation_strategies.0.num_of_rounds", "num_of_rounds"),
        ("simulation_strategies.0.trim_ratio", "trim_ratio"),
        ("simulation_strategies.1.trim_ratio", "simulation_strategies.1.trim_ratio"),
        ("simulation_strategies.1", "simulation_strategies.1"),
        ("shared_settings.attack_schedule.0.end_round", "attack_schedule.0.end_round"),
        ("shared_settings.attack_schedule.0.malicious_client_ids.3", "attack_schedule.0"),
        ("shared_settings.attack_schedule.7.start_round", "attack_schedule"),
        ("simulation_strategies.0.attack_schedule.0.end_round", "attack_schedule.0.end_round"),
    ],
)
def test_a_sentence_finds_the_nearest_place(path: str, place: str) -> None:
    found, general = placed([f"{path}: is wrong: really"], PLACES, is_structured=True)
    is_exact = path.removeprefix("shared_settings.") == place
    assert found == {place: ["is wrong: really" if is_exact else f"{path}: is wrong: really"]}
    assert general == []


@pytest.mark.parametrize(
    "sentence", ["seed: no", "no path at all", "a.b.c: x", "shared_settings: x"]
)
def test_what_has_no_place_is_told_in_general(sentence: str) -> None:
    assert placed([sentence], PLACES, is_structured=True) == ({}, [sentence])
