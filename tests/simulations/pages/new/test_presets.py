"""What differs from the simulation that a new one is to be like."""

from __future__ import annotations

from simulations.pages.new.presets import Change, changes


def test_changes_are_told_by_path_and_to_the_letter() -> None:
    original = {"num_of_rounds": 1, "tags": ["a"], "attack_schedule": [{"start_round": 1}]}
    like = {"num_of_rounds": 1.0, "tags": ["a"], "attack_schedule": [{"start_round": 2}, {}]}
    assert changes(original, like) == [
        Change("num_of_rounds", "1", "1.0"),
        Change("attack_schedule.0.start_round", "1", "2"),
        Change("attack_schedule.1", None, "{}"),
    ]
    assert changes(original, original) == []


def test_what_is_no_object_differs_in_everything() -> None:
    assert changes({"seed": 1}, None) == [Change("seed", "1", None)]
