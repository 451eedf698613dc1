"""Several simulations beside each other."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from simulations import comparison
from simulations.models import RoundMetrics, Simulation

URL = "/simulations/compare/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(submit: Callable[..., Simulation], record: Any) -> Callable[..., Simulation]:
    """Return a factory of simulations with two rounds; the last accuracy is as given."""

    def create(accuracy: float, **settings: Any) -> Simulation:
        row = submit(**settings)
        run = record(row, rounds=2, global_loss=1.5)
        RoundMetrics.objects.filter(strategy_run=run, round_number=1).update(global_accuracy=0.1)
        RoundMetrics.objects.filter(strategy_run=run, round_number=2).update(
            global_accuracy=accuracy
        )
        return row

    return create


def ids(*rows: Simulation) -> str:
    return ",".join(row.simulation_id for row in rows)


def test_seeds_are_one_row_with_mean_and_deviation(client: Client, measured: Any) -> None:
    rows = [measured(value, seed=seed) for seed, value in enumerate([0.5, 0.6, 0.8])]
    other = measured(0.7, seed=9, learning_rate=0.5)
    groups = comparison.groups(comparison.compared(ids(*rows, other).split(",")))
    first, second = groups
    found = first.finals["global_accuracy"]
    assert found is not None and found.count == 3
    assert found.mean == pytest.approx(statistics.fmean([0.5, 0.6, 0.8]))
    assert found.std == pytest.approx(statistics.stdev([0.5, 0.6, 0.8]))
    single = second.finals["global_accuracy"]
    assert single is not None and (single.mean, single.std, single.count) == (0.7, None, 1)
    assert first.finals["attack_success_rate"] is None
    text = client.get(f"{URL}?ids={ids(*rows, other)}").content.decode()
    assert "0.6333 ± 0.1528" in text and "0.7000" in text


def test_only_settings_that_differ_are_shown(client: Client, measured: Any) -> None:
    rows = [measured(0.5, seed=1), measured(0.6, seed=1, learning_rate=0.5)]
    differing = comparison.differences(comparison.compared(ids(*rows).split(",")))
    assert differing == {"learning_rate": ["0.001", "0.5"]}
    text = client.get(f"{URL}?ids={ids(*rows)}").content.decode()
    assert "<code>learning_rate</code>" in text and "<code>batch_size</code>" not in text


def test_the_curves_are_drawn_and_come_as_csv(client: Client, measured: Any) -> None:
    rows = [measured(0.5, seed=1), measured(0.6, seed=2, display_name="=two")]
    text = client.get(f"{URL}?ids={ids(*rows)}").content.decode()
    assert text.count('<path class="line s0" d="M') >= 3 and "Global test accuracy" in text
    answer = client.get(f"{URL}curves.csv?ids={ids(*rows)}")
    table = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["global_accuracy"] for row in table] == ["0.1", "0.5", "0.1", "0.6"]
    assert [row["seed"] for row in table] == ["1", "1", "2", "2"]
    assert table[0]["attack_success_rate"] == ""


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=,,", "?ids=nope", "?ids=%00", "?x=1"])
def test_nothing_to_compare_tells_how(client: Client, query: str) -> None:
    answer = client.get(URL + query)
    assert answer.status_code == 200 and "Nothing to compare" in answer.content.decode()


def test_it_takes_as_many_queries_for_many_as_for_few(
    client: Client, measured: Any, django_assert_num_queries: Any
) -> None:
    rows = [measured(0.5, seed=seed) for seed in range(8)]
    for some in (rows[:1], rows):
        with django_assert_num_queries(2):
            client.get(f"{URL}?ids={ids(*some)}")
