from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulations.fl.strategies.krum_scores import krum_scores

Rows = NDArray[np.float64]
FAMILY = ("krum", "multi-krum", "multi-krum-based")


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Rows, int]:
    """Honest rows around a point and f attackers elsewhere, n ≥ 2f + 3."""
    f = draw(st.integers(0, 3))
    n = draw(st.integers(2 * f + 3, 2 * f + 8))
    d = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.normal(size=(n, d)) * draw(st.sampled_from([1e-3, 1.0, 100.0])) + rng.normal(size=d)
    rows[:f] += rng.normal(size=(f, d)) * draw(st.sampled_from([0.1, 10.0, 1e5]))
    return rng.permutation(rows), f


def plain_scores(rows: Rows, f: int) -> list[float]:
    """Blanchard et al. 2017, section 4: the sum over the n − f − 2 closest others."""
    n = len(rows)
    scores = []
    for i in range(n):
        squares = [float(np.sum((rows[i] - rows[j]) ** 2)) for j in range(n) if j != i]
        scores.append(sum(sorted(squares)[: n - f - 2]))
    return scores


@given(crowds())
@settings(max_examples=300)
def test_krum_takes_the_update_of_the_least_score(apply: Any, crowd: tuple[Rows, int]) -> None:
    rows, f = crowd
    answer = apply("krum", rows, f=f)
    scores = plain_scores(rows, f)
    np.testing.assert_allclose(answer.scores, scores, rtol=1e-9)
    best = int(np.argmin(scores))
    np.testing.assert_array_equal(answer.aggregate, rows[best])
    assert answer.included.nonzero().flatten().tolist() == [best]
    assert answer.removed == answer.suspended == ()


@pytest.mark.parametrize("keyword", ["multi-krum", "multi-krum-based"])
@given(crowds(), st.data())
@settings(max_examples=200)
def test_multi_krum_averages_the_m_best(
    apply: Any, keyword: str, crowd: tuple[Rows, int], data: st.DataObject
) -> None:
    rows, f = crowd
    m = data.draw(st.integers(1, len(rows)))
    answer = apply(keyword, rows, f=f, num_krum_selections=m)
    best = sorted(range(len(rows)), key=plain_scores(rows, f).__getitem__)[:m]
    np.testing.assert_allclose(answer.aggregate, rows[best].mean(0), rtol=1e-12, atol=1e-12)
    assert set(answer.included.nonzero().flatten().tolist()) == set(best)


@given(crowds(), st.data())
@settings(max_examples=200)
def test_the_family_agrees_with_flower(
    apply: Any, flower: Any, crowd: tuple[Rows, int], data: st.DataObject
) -> None:
    """Same dialect: squared distances, n − f − 2 neighbours.

    Flower weights the m best by their examples, ours are unweighted; with one example each it is
    the same. Its `to_keep = 0` means Krum.
    """
    rows, f = crowd
    m = data.draw(st.integers(1, len(rows)))
    results = [([row], 1) for row in rows]
    np.testing.assert_allclose(
        apply("krum", rows, f=f).aggregate, flower.aggregate_krum(results, f, 0)[0]
    )
    ours = apply("multi-krum", rows, f=f, num_krum_selections=m).aggregate
    np.testing.assert_allclose(ours, flower.aggregate_krum(results, f, m)[0], rtol=1e-9, atol=1e-12)


def test_a_score_by_hand() -> None:
    """Points 0, 1, 3, 7 and f = 0: the two nearest others of 1 are 0 and 3, at 1 and 4."""
    points = torch.tensor([0.0, 1.0, 3.0, 7.0], dtype=torch.float64)
    squared = (points[:, None] - points[None, :]).square()
    everyone = torch.ones(4, dtype=torch.bool)
    assert krum_scores(squared, everyone, 0).tolist() == [10.0, 5.0, 13.0, 52.0]
    assert krum_scores(squared, everyone, 1).tolist() == [1.0, 1.0, 4.0, 16.0]


def test_one_neighbour_more_as_in_byzfl_can_choose_another(apply: Any) -> None:
    """ByzFL averages over the n − f − 1 nearest others. Of 0, 2, 3.4, 9, 9.5 with f = 1 the two
    nearest choose 2, the three nearest 3.4.
    """
    rows = np.array([0.0, 2.0, 3.4, 9.0, 9.5])
    squares = np.sort((rows[:, None] - rows[None, :]) ** 2, axis=1)[:, 1:]
    assert squares[:, :2].sum(1).argmin() == 1
    assert squares[:, :3].mean(1).argmin() == 2
    assert apply("krum", rows[:, None], f=1).aggregate.item() == 2.0


@pytest.mark.parametrize(("n", "f"), [(1, 0), (2, 0), (3, 1), (4, 3), (5, 2)])
def test_outside_the_bound_one_neighbour_counts(apply: Any, n: int, f: int) -> None:
    rows = np.array([0.0, 1.0, 3.0, 7.0, 15.0])[:n, None]
    nearest = [min(((a - b) ** 2 for b in rows if a != b), default=0.0) for a in rows]
    assert apply("krum", rows, f=f).scores.tolist() == np.ravel(nearest).tolist()


def test_a_removed_client_is_scored_against_those_kept_and_touches_nobody(apply: Any) -> None:
    """With two of six removed and f = 1, f = 0 is assumed of the four kept: two neighbours."""
    rows = np.array([0.0, 1.0, 3.0, 7.0, 2.0, -1.0])[:, None]
    kept = [True, True, True, True, False, False]
    answer = apply("krum", rows, f=1, kept=kept)
    assert answer.scores.tolist() == [10.0, 5.0, 13.0, 52.0, 2.0, 5.0]
    assert answer.aggregate.tolist() == [1.0]


@pytest.mark.parametrize("removing", [False, True])
def test_krum_removes_the_highest_score_one_a_round(apply: Any, removing: bool) -> None:
    rows = np.array([0.0, 0.1, 0.35, 5.0, 0.2, 9.0, 0.15])[:, None]
    kept = np.ones(7, dtype=bool)
    removed = []
    for t in range(1, 5):
        answer = apply("krum", rows, f=2, kept=kept, t=t, removing=removing and t >= 2)
        assert len(answer.removed) == (removing and t >= 2)
        kept[list(answer.removed)] = False
        removed += answer.removed
        assert answer.suspended == ()
    assert removed == ([5, 3, 2] if removing else [])


def test_multi_krum_leaves_out_for_the_round_only(apply: Any) -> None:
    rows = np.array([0.0, 0.1, 0.35, 5.0, 0.2, 9.0, 0.15])[:, None]
    answer = apply("multi-krum", rows, f=2, num_krum_selections=4, removing=True, t=3)
    assert answer.included.tolist() == [True, True, False, False, True, False, True]
    assert answer.removed == answer.suspended == ()


def test_multi_krum_based_removes_until_m_are_left(apply: Any) -> None:
    rows = np.array([0.0, 0.1, 0.35, 5.0, 0.2, 9.0, 0.15])[:, None]
    kept = np.ones(7, dtype=bool)
    removed = []
    for t in range(2, 8):
        answer = apply(
            "multi-krum-based", rows, f=2, num_krum_selections=4, kept=kept, t=t, removing=True
        )
        removed.append(answer.removed)
        kept[list(answer.removed)] = False
    assert removed == [(5,), (3,), (2,), (), (), ()]
    assert answer.aggregate.item() == pytest.approx((0.0 + 0.1 + 0.2 + 0.15) / 4)


@pytest.mark.parametrize("keyword", FAMILY)
def test_ids_name_the_clients_not_their_rows(apply: Any, keyword: str) -> None:
    rows = np.array([0.0, 0.1, 50.0, 0.3, 0.2])[:, None]
    ids = [40, 7, 13, 2, 99]
    answer = apply(keyword, rows, f=1, ids=ids, num_krum_selections=2, removing=True)
    assert answer.removed == ((13,) if keyword != "multi-krum" else ())
