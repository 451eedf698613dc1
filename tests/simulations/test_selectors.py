"""What readers ask of the records: filters, order, counts, and a bounded number of queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from simulations import selectors, services
from simulations.models import Simulation, SimulationTag, StrategyRun
from simulations.selectors import Filters

pytestmark = pytest.mark.django_db


def names(**filters: Any) -> list[str]:
    return [row["display_name"] for row in selectors.listing(Filters(**filters)).rows]


@pytest.fixture
def three(submit: Callable[..., Simulation], end: Callable[..., Simulation]) -> list[Simulation]:
    structured = {
        "shared_settings": {
            "num_of_rounds": 2,
            "dataset_keyword": "mnist5k",
            "display_name": "c",
            "notes": "a 100% sure_thing",
        },
        "simulation_strategies": [
            {"aggregation_strategy_keyword": "fedavg"},
            {"aggregation_strategy_keyword": "krum", "num_of_malicious_clients": 1},
        ],
    }
    first = submit(display_name="a", tags=["red", "blue"], num_of_clients=12)
    second = end(submit(display_name="b", tags=["red"]), rounds_done=4)
    return [first, second, services.create(structured).simulation]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "cba"),
        ({"status": "completed"}, "b"),
        ({"status": "queued,completed"}, "cba"),
        ({"status": "running"}, ""),
        ({"tag": "red"}, "ba"),
        ({"tag": "re"}, ""),
        ({"strategy": "krum"}, "c"),
        ({"strategy": "fedavg"}, "cba"),
        ({"dataset": "digits"}, "ba"),
        ({"search": "BLU"}, "a"),
        ({"search": "krum"}, "c"),
        ({"search": "100%"}, "c"),
        ({"search": "e_t"}, "c"),
        ({"search": "e%t"}, ""),
        ({"search": "api_run"}, "cba"),
        ({"search": "red", "status": "queued"}, "a"),
        ({"ordering": "created_at"}, "abc"),
        ({"ordering": "-progress"}, "bca"),
        ({"ordering": "num_of_clients", "limit": 2}, "bc"),
        ({"ordering": "-num_of_clients"}, "acb"),
        ({"ordering": "strategy_name"}, "abc"),
        ({"limit": 1, "offset": 1}, "b"),
        ({"offset": 9}, ""),
    ],
)
def test_the_list_is_filtered_and_ordered(filters: dict[str, Any], expected: str) -> None:
    assert "".join(names(**filters)) == expected


def test_several_strategies_are_named_together(three: list[Simulation]) -> None:
    rows = selectors.listing(Filters(search="c", limit=1)).rows
    assert rows[0]["strategy_name"] == "fedavg, krum"


def test_the_total_counts_what_the_page_leaves_out(three: list[Simulation]) -> None:
    found = selectors.listing(Filters(tag="red", limit=1))
    assert (len(found.rows), found.total) == (1, 2)
    assert found.rows[0]["tags"] == ["red"]


@pytest.mark.parametrize("key", ["created_at", "num_of_clients", "status", "progress"])
def test_equal_keys_are_ordered_by_age(submit: Callable[..., Simulation], key: str) -> None:
    ids = [submit().simulation_id for _ in range(4)]
    Simulation.objects.update(created_at=timezone.now())
    for ordering, expected in ((key, ids), (f"-{key}", ids[::-1])):
        rows = selectors.listing(Filters(ordering=ordering)).rows
        assert [row["simulation_id"] for row in rows] == expected


def test_the_queue_is_counted_in_one_query(
    three: list[Simulation], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        counts = selectors.queue_counts()
    assert counts == {
        "queued": 2,
        "pending": 0,
        "running": 0,
        "completed": 1,
        "failed": 0,
        "stopped": 0,
    }


@pytest.mark.parametrize("simulation_id", ["", "a b", "a/b", "x" * 65, "ü", "a\n", "..", "a\0"])
def test_an_id_of_other_signs_is_invalid(simulation_id: str) -> None:
    with pytest.raises(selectors.InvalidSimulationId):
        selectors.simulation(simulation_id)


def test_an_unknown_id_is_told(db: None) -> None:
    with pytest.raises(selectors.UnknownSimulation, match="no simulation nope"):
        selectors.simulation("nope")


def test_accuracies_are_the_range_over_strategies(three: list[Simulation]) -> None:
    last = three[2]
    StrategyRun.objects.filter(simulation=last, number=0).update(final_accuracy=0.5)
    assert selectors.accuracies([last.simulation_id]) == {last.simulation_id: (0.5, 0.5)}
    StrategyRun.objects.filter(simulation=last, number=1).update(final_accuracy=0.9)
    found = selectors.accuracies([row.simulation_id for row in three])
    assert found == {last.simulation_id: (0.5, 0.9)}


def test_ten_thousand_simulations_are_listed_quickly(
    submit: Callable[..., Simulation], django_assert_num_queries: Any
) -> None:
    row = submit()
    columns = [field.name for field in Simulation._meta.concrete_fields]
    kept = {name: getattr(row, name) for name in columns if name not in ("id", "simulation_id")}
    for start in range(0, 10_000, 1000):
        Simulation.objects.bulk_create(
            Simulation(
                **{**kept, "created_at": row.created_at - timedelta(seconds=number)},
                simulation_id=f"copy_{number}",
            )
            for number in range(start, start + 1000)
        )
    SimulationTag.objects.bulk_create(
        SimulationTag(simulation_id=pk, name="t")
        for pk in Simulation.objects.values_list("pk", flat=True)
    )
    with django_assert_num_queries(3):
        found = selectors.listing(Filters(search="digits"))
    assert len(found.rows) == found.total == 10_001
    selectors.listing(Filters(limit=50, offset=5000))
