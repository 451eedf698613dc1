from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulations.fl.strategies.arkrum import estimate

Rows = NDArray[np.float64]


def squared_error(values: list[float]) -> float:
    mean = sum(values) / len(values) if values else 0.0
    return sum((value - mean) ** 2 for value in values)


def plain_estimate(distances: list[float], n: int) -> int:
    """Filter at twice the median less the least; cut the rest where the squared error is least."""
    most = (n - 3) // 2
    if most < 1:
        return 0
    threshold = 2 * float(np.median(distances)) - min(distances)
    passed = sorted(distance for distance in distances if distance <= threshold)
    options = [
        (squared_error(passed[:cut]) + squared_error(passed[cut:]), len(distances) - cut)
        for cut in range(len(passed), 0, -1)
        if len(distances) - cut <= most
    ]
    return min(options)[1] if options else most


@given(st.integers(1, 13), st.integers(1, 6), st.integers(0, 4), st.integers(0, 2**32))
@settings(max_examples=300)
def test_it_averages_the_updates_closest_to_the_winner(
    apply: Any, n: int, d: int, attackers: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d))
    rows[: min(attackers, n // 3)] += rng.normal(size=d) * 10.0 ** rng.integers(0, 6)
    squares = [[float(np.sum((a - b) ** 2)) for b in rows] for a in rows]
    scores, estimates = [], []
    for i in range(n):
        others = sorted(squares[i][j] for j in range(n) if j != i)
        estimates.append(plain_estimate(others, n))
        nearest = max(1, n - estimates[i] - 2)
        scores.append(sum(others[:nearest]) / nearest)
    answer = apply("arkrum", rows)
    np.testing.assert_allclose(answer.scores, scores, rtol=1e-9, atol=1e-12)
    winner = int(np.argmin(scores))
    closest = sorted(range(n), key=squares[winner].__getitem__)[: n - estimates[winner]]
    assert sorted(answer.included.nonzero().flatten().tolist()) == sorted(closest)
    np.testing.assert_allclose(answer.aggregate, rows[closest].mean(0), rtol=1e-9, atol=1e-11)
    assert answer.state == {"estimated_malicious": estimates[winner]}


@pytest.mark.parametrize(
    ("distances", "most", "expected"),
    [
        ([1.0] * 9, 3, 0),
        ([1.0] * 7 + [9.0, 9.5], 3, 2),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 900.0], 3, 3),
        ([1.0, 1.2, 1.4, 1.6, 1.8, 2.2, 2.2, 2.2, 2.2], 4, 4),
        ([1.0, 9.0], 0, 0),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 50.0, 60.0, 70.0], 2, 2),
        ([], 3, 0),
    ],
)
def test_f_by_hand(distances: list[float], most: int, expected: int) -> None:
    assert estimate(torch.tensor(distances, dtype=torch.float64), most) == expected


@pytest.mark.parametrize("f", [1, 2, 3])
@pytest.mark.parametrize("far", [3.0, 30.0, 1e6])
@pytest.mark.parametrize("colluding", [False, True])
def test_attackers_are_left_out_whose_number_nobody_told(
    apply: Any, f: int, far: float, colluding: bool
) -> None:
    rng = np.random.default_rng(f)
    rows = rng.normal(size=(10, 50)) * 0.1
    rows[:f] += far * (np.ones(50) if colluding else rng.choice([-1, 1], size=(f, 50)))
    answer = apply("arkrum", rows)
    assert not answer.included[:f].any()
    assert answer.state["estimated_malicious"] >= f


def equally_far(n: int, f: int, shift: float, colluding: bool) -> Rows:
    """Benign clients of squared distance 2 to each other; attackers at `shift` from each of them.

    Attackers are as far from each other as the benign are, or, if not colluding, far apart too.
    """
    rows = np.zeros((n, n + f + 1))
    rows[range(n), range(n)] = 1.0
    if colluding:
        rows[:f, n] = shift
    else:
        rows[range(f), range(n, n + f)] = shift
    return rows


@pytest.mark.parametrize("colluding", [False, True])
@pytest.mark.parametrize("shift", [2.0, 30.0, 1e6])
@pytest.mark.parametrize(("n", "f"), [(n, f) for n in (5, 10, 13, 20) for f in range((n - 1) // 2)])
def test_f_is_right_when_benign_clients_are_equally_far_from_each_other(
    apply: Any, n: int, f: int, shift: float, colluding: bool
) -> None:
    """For every f of n ≥ 2f + 3."""
    answer = apply("arkrum", equally_far(n, f, shift, colluding))
    assert answer.state == {"estimated_malicious": f}
    assert answer.included.tolist() == [False] * f + [True] * (n - f)


@pytest.mark.parametrize("n", [5, 10, 13, 20, 50])
@pytest.mark.parametrize("far", [3.0, 100.0, 1e6])
def test_f_is_never_too_low_for_clear_attackers_and_at_most_what_krum_bears(
    apply: Any, n: int, far: float
) -> None:
    most = (n - 3) // 2
    for f in range(most + 1):
        rng = np.random.default_rng(f)
        rows = rng.normal(size=(n, 200))
        rows[:f] += far * rng.normal(size=(f, 200))
        answer = apply("arkrum", rows)
        assert f <= answer.state["estimated_malicious"] <= most
        assert not answer.included[:f].any()


@pytest.mark.parametrize("n", [10, 20, 50])
def test_without_attackers_it_takes_nearly_half_of_the_benign_for_attackers(
    apply: Any, n: int
) -> None:
    """Some cut is always better than none: the weakness that docs/strategies.md names."""
    rows = np.random.default_rng(1).normal(size=(n, 200))
    answer = apply("arkrum", rows)
    most = (n - 3) // 2
    assert 0.8 * most <= answer.state["estimated_malicious"] <= most
    assert answer.included.sum() == n - answer.state["estimated_malicious"]


def test_a_client_does_not_win_by_seeing_more_attackers(apply: Any) -> None:
    """Attackers at squared distance 3 from 39 benign clients, who are at 2 from each other as they
    are: an attacker's cut leaves it 25 neighbours, a benign client's 37. Sums are 65 and 74.
    """
    rows = equally_far(50, 11, 1.0, colluding=True)
    answer = apply("arkrum", rows)
    assert answer.scores[20].item() == pytest.approx(2.0)
    assert answer.scores[0].item() == pytest.approx((10 * 2 + 15 * 3) / 25)
    assert answer.state == {"estimated_malicious": 11}
    assert not answer.included[:11].any()


def test_it_removes_nobody(apply: Any) -> None:
    answer = apply("arkrum", np.random.default_rng(0).normal(size=(8, 3)), removing=True, t=9)
    assert answer.removed == answer.suspended == ()
