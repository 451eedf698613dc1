"""The drawing of an attack schedule: whom it shows attacking when is whom the engine chooses."""

from __future__ import annotations

from typing import Any

import pytest

from simulations.fl.config import parse, resolve
from simulations.pages.new.timeline import (
    BOTTOM,
    LEFT,
    MOST_CLIENTS,
    OPEN_ROW,
    RIGHT,
    ROW,
    TOP,
    WIDTH,
    Timeline,
    timeline,
)

BASE = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "digits",
    "num_of_rounds": 10,
    "num_of_clients": 8,
}
CELL = (WIDTH - LEFT - RIGHT) / 10


def entry(first: int, last: int, **settings: Any) -> dict[str, Any]:
    attack = {"attack_type": "label_flipping", "start_round": first, "end_round": last}
    return {**attack, "selection_strategy": "specific", **settings}


def drawn(*entries: dict[str, Any], **settings: Any) -> Timeline:
    config = {**BASE, **settings, "attack_schedule": list(entries)}
    resolved = resolve(parse(config), drawn_seed=5).strategies[0].attack_schedule
    picture = timeline(config, resolved)
    assert picture is not None
    return picture


def attacked(picture: Timeline) -> dict[int, set[tuple[int, int]]]:
    """Return the (client, round) cells that bars cover, read off the drawing, by entry."""
    cells: dict[int, set[tuple[int, int]]] = {}
    for bar in picture.bars:
        if not bar.is_open:
            client = int((bar.top + bar.height / 2 - TOP) / ROW)
            first = round((bar.left - LEFT) / CELL) + 1
            last = round((bar.left + bar.width - LEFT) / CELL)
            found = {(client, turn) for turn in range(first, last + 1)}
            cells.setdefault(bar.number, set()).update(found)
    return cells


def test_named_clients_are_drawn_in_their_rounds() -> None:
    picture = drawn(
        entry(3, 5, malicious_client_ids=[6, 0]), entry(10, 10, malicious_client_ids=[1])
    )
    assert attacked(picture) == {
        0: {(client, turn) for client in (0, 6) for turn in (3, 4, 5)},
        1: {(1, 10)},
    }
    assert [one.who for one in picture.entries] == ["clients 0, 6", "client 1"]


@pytest.mark.parametrize(
    ("seeds", "run"),
    [({"random_seed": 3}, {}), ({}, {"seed": 11}), ({"random_seed": 4}, {"seed": 12})],
)
@pytest.mark.parametrize(
    "chosen",
    [
        {"selection_strategy": "count", "malicious_client_count": 3},
        {"selection_strategy": "random", "malicious_client_count": 2},
        {"selection_strategy": "percentage", "malicious_percentage": 0.5},
    ],
)
def test_drawn_clients_are_those_of_the_engine(
    chosen: dict[str, Any], seeds: dict[str, Any], run: dict[str, Any]
) -> None:
    one = entry(2, 4, **chosen, **seeds)
    config = {**BASE, **run, "attack_schedule": [one]}
    ids = resolve(parse(config), drawn_seed=99).strategies[0].attack_schedule[0].selected_client_ids
    assert ids
    clients = {client for client, _ in attacked(drawn(one, **run))[0]}
    assert clients == set(ids)


def test_a_choice_that_follows_from_no_given_seed_is_drawn_below_the_clients() -> None:
    one = entry(2, 4, selection_strategy="percentage", malicious_percentage=0.25)
    picture = drawn(one)
    (bar,) = picture.bars
    assert bar.is_open and bar.top > picture.edge
    assert picture.bottom == picture.edge + OPEN_ROW
    assert picture.entries[0].who == "25% of the clients, drawn from the seed"
    assert picture.height == picture.bottom + BOTTOM


def test_attacks_on_a_client_at_once_lie_beside_each_other() -> None:
    other = {"attack_type": "model_poisoning"}
    picture = drawn(
        entry(1, 6, malicious_client_ids=[2, 3]),
        entry(4, 9, malicious_client_ids=[3], **other),
        entry(7, 9, malicious_client_ids=[2], **other),
    )
    assert {bar.height for bar in picture.bars} == {ROW / 2}
    tops = {(bar.number, int((bar.top - TOP) / ROW)): bar.top for bar in picture.bars}
    assert tops[0, 3] + ROW / 2 == tops[1, 3]
    assert tops[2, 2] == tops[0, 2], "it does not meet the first in time, so takes its lane"
    for one in picture.bars:
        for two in picture.bars:
            apart = (
                one is two
                or one.left + one.width <= two.left + 0.01
                or two.left + two.width <= one.left + 0.01
                or one.top + one.height <= two.top
                or two.top + two.height <= one.top
            )
            assert apart, "no bar hides another"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"num_of_rounds": "ten"},
        {"num_of_rounds": True},
        {"num_of_rounds": 0},
        {"num_of_clients": 10**9},
        {"attack_schedule": "x"},
        {"attack_schedule": []},
    ],
)
def test_too_little_is_not_drawn(broken: dict[str, Any]) -> None:
    assert timeline({**BASE, **broken}) is None


@pytest.mark.parametrize(
    "odd",
    [
        {},
        None,
        {"start_round": 3},
        {"start_round": 3, "end_round": 2},
        {"start_round": "1", "end_round": 2},
        {"start_round": 11, "end_round": 12},
    ],
)
def test_an_unfinished_entry_leaves_the_others_drawn(odd: Any) -> None:
    good = entry(1, 99, malicious_client_ids=[1, "x", 70])
    picture = timeline({**BASE, "attack_schedule": [odd, good]})
    assert picture is not None
    assert [told.number for told in picture.entries] == [1]
    assert attacked(picture) == {1: {(1, turn) for turn in range(1, 11)}}


def test_very_many_clients_are_not_drawn_one_by_one() -> None:
    count = MOST_CLIENTS + 1
    picture = drawn(entry(1, 2, malicious_client_ids=list(range(100))), num_of_clients=count)
    assert [bar.is_open for bar in picture.bars] == [True]
    assert len(picture.y_ticks) <= 20 and picture.entries[0].who.endswith("11, …")
