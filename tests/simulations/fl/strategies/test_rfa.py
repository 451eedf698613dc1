from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulations.fl.errors import AggregationError

Rows = NDArray[np.float64]


def cost(point: Rows, rows: Rows, weights: Rows) -> float:
    return float(np.sum(weights * np.linalg.norm(rows - point, axis=1)))


def plain_median(rows: Rows, weights: Rows) -> Rows:
    """A thousand Weiszfeld steps in the space of the rows, or the row that is better still."""
    point = np.average(rows, axis=0, weights=weights)
    for _ in range(1000):
        pull = weights / np.maximum(np.linalg.norm(rows - point, axis=1), 1e-12)
        point = (pull[:, None] * rows).sum(0) / pull.sum()
    return min([point, *rows], key=lambda end: cost(end, rows, weights))


@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1.0, 1e3, 1e6]),
)
@example(n=3, d=3, seed=1485032, far=0.0)  # a row, which steps do not reach
@example(n=7, d=4, seed=22244, far=1e6)  # the few hold most of the weight
@settings(max_examples=100)
def test_it_is_the_weighted_geometric_median(
    apply: Any, n: int, d: int, seed: int, far: float
) -> None:
    """Pillutla et al. 2022, equation 2: the point of least weighted sum of distances."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) + rng.normal(size=d)
    rows[: (n - 1) // 3] += far * rng.normal(size=d)
    weights = rng.integers(1, 20, size=n).astype(float)
    answer = apply("rfa", rows, weights=weights)
    best = cost(plain_median(rows, weights), rows, weights)
    assert cost(answer.aggregate.numpy(), rows, weights) <= best * (1 + 1e-5) + 1e-9
    distances = np.linalg.norm(rows - answer.aggregate.numpy(), axis=1)
    np.testing.assert_allclose(answer.scores, distances, rtol=1e-5, atol=1e-6 * (1 + far * 1e-4))
    assert answer.included.all()


def test_the_fermat_point_of_a_triangle(apply: Any) -> None:
    """All three sides are seen under 120 degrees."""
    triangle = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 3.0]])
    z = apply("rfa", triangle).aggregate.numpy()
    units = (triangle - z) / np.linalg.norm(triangle - z, axis=1, keepdims=True)
    np.testing.assert_allclose(units @ units.T, 1.5 * np.eye(3) - 0.5, atol=1e-4)


def test_on_a_line_it_is_the_weighted_median(apply: Any) -> None:
    rows = [[0.0], [1.0], [2.0], [10.0], [1000.0]]
    assert apply("rfa", rows).aggregate.item() == pytest.approx(2, abs=1e-4)
    heavy = apply("rfa", rows, weights=[1, 1, 1, 100, 1])
    assert heavy.aggregate.item() == pytest.approx(10, abs=1e-4)


@pytest.mark.parametrize("far", [1e9, 1e15, 1e30])
@pytest.mark.parametrize("attackers", [[0, 1, 2], [4, 5, 6]])
def test_huge_attackers_cost_no_digits(apply: Any, far: float, attackers: list[int]) -> None:
    """Far attackers pull by their direction only, so those at 1e5 stand in for those beyond."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(7, 4))
    direction = rng.normal(size=(3, 4))
    rows[attackers] = direction * 1e5
    expected = plain_median(rows, np.ones(7))
    rows[attackers] = direction * far
    answer = apply("rfa", rows)
    np.testing.assert_allclose(answer.aggregate, expected, atol=1e-3)
    single = apply("rfa", torch.tensor(rows, dtype=torch.float32))
    np.testing.assert_allclose(single.aggregate, answer.aggregate, atol=1e-4)


def test_a_row_that_the_others_hardly_fail_to_move_is_the_median(apply: Any) -> None:
    """Two pull together by 14 + 5 at most, in nearly one direction, at a row that weighs 19."""
    rows = [[0.8432, -1.4566, 0.0595], [1.1663, -1.8261, 0.5098], [-2.4183, -1.4485, -1.4888]]
    answer = apply("rfa", rows, weights=[14, 5, 19])
    np.testing.assert_array_equal(answer.aggregate, rows[2])
    assert answer.scores[2] == 0
    moved = apply("rfa", rows, weights=[16, 5, 19])
    assert moved.scores[2] > 0.1


def test_a_majority_of_equal_updates_is_the_median(apply: Any) -> None:
    rows = [[1.0, 2.0]] * 4 + [[1e12, 0.0], [-5.0, 3.0], [7.0, 7.0]]
    np.testing.assert_allclose(apply("rfa", rows).aggregate, [1.0, 2.0], atol=1e-5)


def test_the_farthest_is_removed_one_a_round(apply: Any) -> None:
    rows = np.array([0.0, 0.1, 0.2, -0.1, 8.0, -6.0])[:, None]
    kept = np.ones(6, dtype=bool)
    gone = []
    for t in range(1, 4):
        answer = apply("rfa", rows, kept=kept, t=t, removing=t >= 2)
        gone += answer.removed
        kept[list(answer.removed)] = False
        assert answer.suspended == ()
    assert gone == [4, 5]
    last = apply("rfa", rows, kept=kept, t=4)
    assert abs(last.aggregate.item()) < 0.2
    assert last.scores[4] == pytest.approx(8 - last.aggregate.item())


def test_clients_without_examples_have_no_median(apply: Any) -> None:
    with pytest.raises(AggregationError, match="0 training examples"):
        apply("rfa", [[1.0], [2.0]], weights=[0, 0])
