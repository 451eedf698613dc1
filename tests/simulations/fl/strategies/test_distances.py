from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.fl.strategies import distances

SHAPES = [(1, 1), (2, 1), (5, 3), (7, 4096), (6, 9001)]


def plain(rows: np.ndarray) -> np.ndarray:
    exact = rows.astype(np.float64)
    return np.array([[np.sum((a - b) ** 2) for b in exact] for a in exact])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_are_measured_to_ten_digits(shape: tuple[int, int], dtype: type) -> None:
    rows: np.ndarray = np.random.default_rng(0).normal(size=shape).astype(dtype)
    measured = distances.squared(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(measured, plain(rows), rtol=1e-10)
    assert (measured == measured.T).all()


@given(
    st.integers(2, 9),
    st.integers(1, 5),
    st.lists(st.sampled_from([0.0, 1e-6, 1.0, 1e4, 1e15, 1e30]), min_size=9, max_size=9),
    st.integers(0, 2**32),
)
@settings(max_examples=300)
def test_clusters_of_any_scale_anywhere_keep_their_digits(
    n: int, d: int, shifts: list[float], seed: int
) -> None:
    """Rows 1e-3 apart beside others 1e30 away, whichever comes first."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=d)
    rows = np.outer(shifts[:n], direction) + 1e-3 * rng.normal(size=(n, d))
    measured = distances.squared(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(measured, plain(rows), rtol=1e-9, atol=0)


def test_float32_rows_a_hair_apart_far_from_zero_rank_as_in_exact_arithmetic() -> None:
    """Norm 1e4, differences of 1e-4: ‖a‖² + ‖b‖² − 2⟨a, b⟩ in float32 would give 0, ±8 or ±16."""
    rng = np.random.default_rng(2)
    base = np.zeros(2000, dtype=np.float32)
    base[:4] = 5000
    rows = np.repeat(base[None, :], 12, axis=0)
    rows[:, 4:] += (2e-6 * rng.normal(size=(12, 1996))).astype(np.float32)
    exact = plain(rows)
    assert 0.9e-4 < np.sqrt(exact[0, 1]) < 2e-4
    np.testing.assert_allclose(distances.squared(torch.from_numpy(rows)), exact, rtol=1e-10)


def test_a_far_first_row_and_a_deceptive_sample_of_columns_cost_no_digits() -> None:
    """The attackers differ only in columns that the sample for the origin does not see."""
    rows = np.random.default_rng(4).normal(size=(7, 9000))
    rows[:3, 1::2] += 1e12
    measured = distances.squared(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(measured, plain(rows), rtol=1e-9)


def in_sample(d: int) -> np.ndarray:
    """Return which of d columns are looked at to choose an origin."""
    columns = torch.arange(d, dtype=torch.float64)[None, :]
    mask = np.zeros(d, dtype=bool)
    mask[distances._sampled(columns)[0].long().numpy()] = True
    return mask


def test_close_rows_are_taken_relative_to_one_of_the_majority() -> None:
    """Or all of them would be measured twice when the first clients attack."""
    rows = 50 + 1e-3 * np.random.default_rng(5).normal(size=(7, 20_000))
    rows[:3] += 1e3
    for close in (distances.CLOSE, distances.COARSE_CLOSE):
        assert distances._origin(torch.from_numpy(rows), close) in range(3, 7)


def test_rows_far_apart_are_multiplied_as_they_are_and_keep_ten_digits() -> None:
    rows = np.random.default_rng(6).normal(size=(7, 20_000)).astype(np.float32)
    rows += 50
    assert distances._origin(torch.from_numpy(rows), distances.CLOSE) is None
    assert distances._origin(torch.from_numpy(rows), distances.COARSE_CLOSE) is not None
    np.testing.assert_allclose(distances.squared(torch.from_numpy(rows)), plain(rows), rtol=1e-10)


def test_rows_that_seem_far_apart_in_a_sample_only_cost_no_digits() -> None:
    rows = np.random.default_rng(7).normal(size=(7, 20_000))
    sampled = in_sample(rows.shape[1])
    assert 0 < sampled.sum() < len(sampled) / 2
    rows[:, ~sampled] = 1e6 + 1e-3 * rows[:, ~sampled]
    assert distances._origin(torch.from_numpy(rows), distances.CLOSE) is None
    measured = distances.squared(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(measured, plain(rows), rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_distances_to_the_centroid_and_to_a_point(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    exact = rows.astype(np.float64)
    to_mean = np.linalg.norm(exact - exact.mean(0), axis=1)
    matrix = torch.from_numpy(rows)
    np.testing.assert_allclose(distances.to_centroid(matrix), to_mean, rtol=1e-12, atol=1e-12)
    to_first = np.linalg.norm(exact - exact[0], axis=1)
    np.testing.assert_allclose(distances.to_point(matrix, matrix[0]), to_first, rtol=1e-12)


def test_a_row_that_is_not_finite_is_infinitely_far_and_moves_no_centroid() -> None:
    rows = torch.tensor([[1.0], [torch.nan], [3.0], [-torch.inf]])
    assert distances.to_centroid(rows).tolist() == [1, torch.inf, 1, torch.inf]
    assert distances.to_centroid(rows[[1, 3]]).tolist() == [torch.inf, torch.inf]


def test_what_counts_as_finite() -> None:
    single = torch.tensor([[1.0, 2.0], [3e38, 3e38], [torch.nan, 0], [torch.inf, -torch.inf]])
    assert distances.finite_rows(single).tolist() == [True, True, False, False]
    double = torch.tensor([[1e150, 0.0], [1e200, 0.0]], dtype=torch.float64)
    assert distances.finite_rows(double).tolist() == [True, False]
