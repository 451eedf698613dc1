from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.fl.strategies.trimmed_mean import trimmed_at_each_end


@given(
    st.integers(1, 12),
    st.integers(1, 6),
    st.integers(0, 5),
    st.integers(0, 2**32),
    st.booleans(),
)
@settings(max_examples=400)
def test_each_coordinate_loses_its_k_smallest_and_largest(
    apply: Any, n: int, d: int, k: int, seed: int, some_are_left_out: bool
) -> None:
    """Yin et al. 2018, definition 2, written out per coordinate."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4)
    kept = rng.random(n) < 0.7 if some_are_left_out else np.ones(n, dtype=bool)
    kept[rng.integers(n)] = True
    members = np.flatnonzero(kept)
    k = min(k, (len(members) - 1) // 2)
    answer = apply("trimmed_mean", rows, kept=kept, trim_ratio=k / len(members))
    trimmed = np.zeros(n)
    for column in range(d):
        order = sorted(members, key=lambda i: rows[i, column])
        middle = order[k : len(order) - k]
        expected = sum(rows[i, column] for i in middle) / len(middle)
        assert answer.aggregate[column].item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
        trimmed[sorted(set(order) - set(middle))] += 1
    np.testing.assert_allclose(answer.scores[kept], trimmed[kept] / d)
    assert (answer.included.numpy() == kept).all()


@given(st.integers(1, 12), st.integers(1, 6), st.floats(0, 0.499), st.integers(0, 2**32))
@settings(max_examples=200)
def test_it_agrees_with_flower(
    apply: Any, flower: Any, n: int, d: int, ratio: float, seed: int
) -> None:
    """Same dialect: a ratio of n, rounded down. Flower rounds ratio · n as a float, so ratios
    whose product is within a rounding error of a whole number are not compared.
    """
    if abs(ratio * n - round(ratio * n)) < 1e-6 and ratio > 0:
        return
    rows = np.random.default_rng(seed).normal(size=(n, d))
    theirs = flower.aggregate_trimmed_avg([([row], 1) for row in rows], ratio)[0]
    ours = apply("trimmed_mean", rows, trim_ratio=ratio).aggregate
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@given(st.integers(1, 2000), st.integers(0, 999))
@settings(max_examples=500)
def test_k_is_what_exact_arithmetic_gives(n: int, thousandths: int) -> None:
    """0.29 · 100 is 28.999999999999996 as a float."""
    ratio = Fraction(thousandths, 2000)
    exact = ratio * n
    assert trimmed_at_each_end(float(ratio), n) == exact.numerator // exact.denominator


@given(st.integers(1, 10_000), st.data())
def test_the_ratio_f_over_n_trims_f(n: int, data: st.DataObject) -> None:
    f = data.draw(st.integers(0, (n - 1) // 2))
    assert trimmed_at_each_end(f / n, n) == f


@pytest.mark.parametrize("n", range(1, 8))
def test_something_is_always_left_to_average(apply: Any, n: int) -> None:
    rows = np.arange(n, dtype=float)[:, None]
    ratio = float(np.nextafter(0.5, 0))
    assert apply("trimmed_mean", rows, trim_ratio=ratio).aggregate.item() == np.median(rows)


def test_values_equal_to_an_averaged_one_are_not_trimmed(apply: Any) -> None:
    answer = apply("trimmed_mean", [[1.0], [1.0], [1.0], [2.0], [0.0]], trim_ratio=0.2)
    assert answer.scores.tolist() == [0, 0, 0, 1, 1]
    assert answer.aggregate.item() == 1.0


def test_the_one_trimmed_most_sits_out_the_next_round(apply: Any) -> None:
    rows = np.array([[0.0, 9.0, 9.0], [1.0, 1.0, 1.0], [2.0, 0.0, 2.0], [3.0, 2.0, 0.0]])
    calm = apply("trimmed_mean", rows, trim_ratio=0.25)
    first = apply("trimmed_mean", rows, trim_ratio=0.25, removing=True, ids=[8, 6, 7, 5])
    assert calm.suspended == first.removed == ()
    assert first.scores.tolist() == [1.0, 0.0, pytest.approx(1 / 3), pytest.approx(2 / 3)]
    assert first.suspended == (8,)


def test_a_client_sitting_out_is_judged_again_and_may_return(apply: Any) -> None:
    kept = [False, True, True, True]
    still_far = np.array([[0.0, 9.0, 9.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [3.0, 3.0, 0.0]])
    answer = apply("trimmed_mean", still_far, trim_ratio=0.0, kept=kept, removing=True)
    assert answer.aggregate.tolist() == [2.0, 2.0, 1.0]
    assert answer.scores.tolist() == [1, 0, 0, 0]
    assert answer.suspended == (0,)
    back = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0], [9.0, 2.0, 2.0], [3.0, 3.0, 0.0]])
    answer = apply("trimmed_mean", back, trim_ratio=0.34, kept=kept, removing=True)
    np.testing.assert_allclose(answer.scores, [0, 2 / 3, 2 / 3, 2 / 3])
    assert answer.suspended == (1,)


def test_nobody_sits_out_when_nothing_was_trimmed(apply: Any) -> None:
    answer = apply("trimmed_mean", [[0.0], [1.0], [5.0]], trim_ratio=0.1, removing=True)
    assert answer.suspended == ()
