from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Rows = NDArray[np.float64]


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Rows, int]:
    f = draw(st.integers(0, 3))
    n = draw(st.integers(4 * f + 3, 4 * f + 7))
    d = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.normal(size=(n, d)) + rng.normal(size=d)
    rows[:f] += rng.normal(size=(f, d)) * draw(st.sampled_from([0.1, 10.0, 1e4]))
    return rng.permutation(rows), f


def plain_selection(rows: Rows, f: int, theta: int) -> list[int]:
    """El Mhamdi et al. 2018, section 4: Krum, moved from the received set to the selected one."""
    received, selected = list(range(len(rows))), []
    for _ in range(theta):
        scores = []
        for i in received:
            squares = sorted(float(np.sum((rows[i] - rows[j]) ** 2)) for j in received if j != i)
            scores.append(sum(squares[: max(1, len(received) - f - 2)]))
        winner = received[int(np.argmin(scores))]
        selected.append(winner)
        received.remove(winner)
    return selected


def plain_bulyan(rows: Rows, f: int) -> Rows:
    theta = len(rows) - 2 * f
    beta = theta - 2 * f
    chosen = rows[plain_selection(rows, f, theta)]
    columns = []
    for values in chosen.T:
        median = np.median(values)
        closest = sorted(values, key=lambda value: abs(value - median))[:beta]
        columns.append(sum(closest) / beta)
    return np.array(columns)


@given(crowds())
@settings(max_examples=200)
def test_it_averages_what_is_closest_to_the_median(apply: Any, crowd: tuple[Rows, int]) -> None:
    rows, f = crowd
    answer = apply("bulyan", rows, f=f)
    selected = plain_selection(rows, f, len(rows) - 2 * f)
    assert sorted(answer.included.nonzero().flatten().tolist()) == sorted(selected)
    expected = plain_bulyan(rows, f)
    np.testing.assert_allclose(answer.aggregate, expected, rtol=1e-9, atol=1e-11)
    distances = [np.linalg.norm(row - expected) for row in rows]
    np.testing.assert_allclose(answer.scores, distances, rtol=1e-8, atol=1e-10)


@given(crowds())
@settings(max_examples=200)
def test_it_agrees_with_flower(apply: Any, flower: Any, crowd: tuple[Rows, int]) -> None:
    """Same dialect as `aggregate_bulyan` over Krum: selection is scored again after each pick.

    Flower's newer `serverapp.strategy.Bulyan` takes the θ best of one scoring instead.
    """
    rows, f = crowd
    results = [([row], 1) for row in rows]
    theirs = flower.aggregate_bulyan(results, f, flower.aggregate_krum, to_keep=0)[0]
    np.testing.assert_allclose(apply("bulyan", rows, f=f).aggregate, theirs, atol=1e-10)


def test_the_values_around_the_median_by_hand(apply: Any) -> None:
    """n = 7 and f = 1 select θ = 5, here those from 0 to 8, and average the β = 3 around 2."""
    rows = np.array([0.0, 1.0, 2.0, 5.0, 8.0, 40.0, 100.0])[:, None]
    answer = apply("bulyan", rows, f=1)
    assert answer.included.tolist() == [True, True, True, True, True, False, False]
    assert answer.aggregate.item() == pytest.approx((0 + 1 + 2) / 3)
    assert answer.scores.tolist() == pytest.approx([1, 0, 1, 4, 7, 39, 99])


@pytest.mark.parametrize(("n", "f", "used"), [(10, 2, 2), (9, 2, 2), (8, 2, 1), (4, 2, 0)])
def test_outside_the_bound_it_runs_while_a_value_is_left(
    apply: Any, n: int, f: int, used: int
) -> None:
    """n ≥ 4f + 1 leaves a value per coordinate; below that f is lowered to what does."""
    rows = np.random.default_rng(n).normal(size=(n, 3))
    np.testing.assert_allclose(
        apply("bulyan", rows, f=f).aggregate, plain_bulyan(rows, used), rtol=1e-9
    )


def test_the_f_farthest_sit_out_the_next_round(apply: Any) -> None:
    """With two of 11 suspended, n = 9 still carries f = 2, so that a wrong guess is no breach."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(11, 4)) * 0.1
    rows[[2, 7]] += [[50.0], [-30.0]]
    first = apply("bulyan", rows, f=2, removing=True)
    assert set(first.suspended) == {2, 7}
    assert first.removed == ()
    kept = np.ones(11, dtype=bool)
    kept[[0, 1]] = False
    second = apply("bulyan", rows, f=2, kept=kept, removing=True)
    assert np.linalg.norm(second.aggregate) < 1
    assert set(second.suspended) == {2, 7}
    assert not second.included[[0, 1, 2, 7]].any()
    assert apply("bulyan", rows, f=2).suspended == ()
