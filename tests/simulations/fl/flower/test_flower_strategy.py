from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.supercore.task_identity import TaskIdentity
from numpy.typing import NDArray

from intellifl.environment import ROOT
from simulations.fl import aggregate
from simulations.fl.errors import AggregationError, ConfigError
from simulations.fl.flower.strategy import RuleStrategy, as_flower_strategy
from simulations.fl.strategies import STRATEGIES

RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(11, 6)).astype(np.float32)
SIZES = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]
NODES = [71, 5, 33, 8, 2, 90, 14, 61, 77, 3, 54]


@pytest.fixture(autouse=True)
def identity() -> None:
    """Be a ServerApp of some run; without, Flower makes no messages."""
    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = 1, 2, 3


class Nodes:
    """Eleven nodes, as a Grid tells them."""

    def get_node_ids(self) -> list[int]:
        return NODES


def arrays(row: NDArray[Any]) -> ArrayRecord:
    """Cut six numbers into two arrays, and add a counter."""
    return ArrayRecord(
        {
            "weight": Array(row[:4].reshape(2, 2)),
            "counter": Array(np.array(7)),
            "bias": Array(row[4:].astype(np.float64)),
        }
    )


def replies(rows: NDArray[Any], nodes: Sequence[int] = NODES) -> list[Message]:
    found = []
    for node, row, size in zip(nodes, rows, SIZES, strict=True):
        asked = Message(RecordDict(), dst_node_id=node, message_type="train")
        metrics = MetricRecord({"num-examples": size, "loss": float(size)})
        content = RecordDict({"arrays": arrays(row), "metrics": metrics})
        found.append(Message(content, reply_to=asked))
    return found


def begun(strategy: RuleStrategy) -> RuleStrategy:
    list(strategy.configure_train(1, arrays(np.zeros(6)), ConfigRecord(), Nodes()))  # type: ignore[arg-type]
    return strategy


def flat(record: ArrayRecord | None) -> NDArray[Any]:
    assert record is not None
    assert list(record) == ["weight", "counter", "bias"]
    assert record["weight"].numpy().shape == (2, 2)
    assert record["bias"].numpy().dtype == np.float64
    assert record["counter"].numpy() == 7
    return np.concatenate([record["weight"].numpy().ravel(), record["bias"].numpy()])


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_every_rule_gives_flower_what_it_gives_a_notebook(keyword: str) -> None:
    strategy = begun(as_flower_strategy(keyword, f=2))
    given, metrics = strategy.aggregate_train(1, replies(ROWS))
    order = np.argsort(NODES)
    expected = aggregate(keyword, ROWS[order], weights=np.array(SIZES)[order], f=2)
    np.testing.assert_array_equal(flat(given), expected)
    assert metrics is not None
    mean = sum(size * size for size in SIZES) / sum(SIZES)
    assert metrics["loss"] == pytest.approx(mean)


def test_the_order_of_replies_does_not_matter() -> None:
    one, other = (begun(as_flower_strategy("krum", f=2)) for _ in range(2))
    found, turned = replies(ROWS), replies(ROWS)[::-1]
    assert flat(one.aggregate_train(1, found)[0]).tolist() == (
        flat(other.aggregate_train(1, turned)[0]).tolist()
    )


def test_nodes_that_the_rule_removes_stay_out() -> None:
    rows = ROWS.copy()
    rows[3] += 1000
    strategy = as_flower_strategy("krum", f=1, begin_removing_from_round=2)
    begun(strategy).aggregate_train(1, replies(rows))
    assert strategy.standing.removed == frozenset()
    strategy.aggregate_train(2, replies(rows))
    assert strategy.standing.removed == {NODES[3]}
    _, metrics = strategy.aggregate_train(3, replies(ROWS))
    assert metrics is not None
    removed = metrics["clients-removed"]
    assert isinstance(removed, int) and removed >= 1
    assert strategy.last is not None
    assert not strategy.last.included[sorted(NODES).index(NODES[3])]


def test_who_takes_part_is_flowers_to_decide() -> None:
    strategy = as_flower_strategy("fedavg", fraction_train=0.5, min_train_nodes=1)
    sent = list(strategy.configure_train(1, arrays(np.zeros(6)), ConfigRecord(), Nodes()))  # type: ignore[arg-type]
    assert len(sent) == 5


def test_what_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="did you mean 'krum'"):
        as_flower_strategy("krumm")
    with pytest.raises(ConfigError, match=r"trim_ratio: must be less than 0\.5"):
        as_flower_strategy("trimmed_mean", trim_ratio=0.7)
    with pytest.raises(ConfigError, match="krum has no settings"):
        as_flower_strategy("krum", trim_ratio=0.1)


def test_too_few_replies_are_refused() -> None:
    strategy = begun(as_flower_strategy("bulyan", f=3))
    with pytest.raises(AggregationError, match="at least 4f \\+ 3 = 15"):
        strategy.aggregate_train(1, replies(ROWS))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("ray")
def test_the_example_withstands_what_fedavg_does_not() -> None:
    right = {}
    for keyword in ("krum", "fedavg"):
        done = subprocess.run(
            [sys.executable, "examples/flower_app/krum_app.py", keyword],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=280,
            check=True,
        )
        told = next(line for line in done.stdout.splitlines() if "of the test set" in line)
        right[keyword] = float(told.split()[1])
    assert right["krum"] > 0.9 > 0.5 > right["fedavg"]
