from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.fl.errors import AggregationError


@given(st.integers(1, 12), st.integers(1, 8), st.integers(0, 2**32))
@settings(max_examples=200)
def test_it_averages_by_number_of_examples(
    apply: Any, flower: Any, n: int, d: int, seed: int
) -> None:
    """Flower's `aggregate` is the same rule."""
    rng = np.random.default_rng(seed)
    rows, counts = rng.normal(size=(n, d)), rng.integers(1, 1000, size=n)
    answer = apply("fedavg", rows, weights=counts)
    expected = sum(count * row for count, row in zip(counts, rows, strict=True)) / counts.sum()
    np.testing.assert_allclose(answer.aggregate, expected, rtol=1e-12, atol=1e-14)
    results = [([row], int(count)) for row, count in zip(rows, counts, strict=True)]
    np.testing.assert_allclose(answer.aggregate, flower.aggregate(results)[0], atol=1e-12)
    centre = rows.mean(0)
    np.testing.assert_allclose(
        answer.scores, [np.linalg.norm(row - centre) for row in rows], rtol=1e-9, atol=1e-12
    )


def test_it_removes_nobody(apply: Any) -> None:
    answer = apply("fedavg", [[0.0], [1.0], [1000.0]], removing=True, t=5)
    assert answer.removed == answer.suspended == ()
    assert answer.included.all()


def test_a_nan_stays_visible_and_names_its_client(apply: Any) -> None:
    rows = torch.tensor([[1.0, 2.0], [torch.nan, 4.0], [3.0, 6.0]])
    answer = apply("fedavg", rows, ids=[5, 6, 7])
    assert answer.aggregate[0].isnan()
    assert answer.aggregate[1] == 4
    assert answer.rejected == (6,)
    assert answer.scores.tolist() == [pytest.approx(5**0.5), torch.inf, pytest.approx(5**0.5)]


def test_a_client_left_out_cannot_spoil_the_average(apply: Any) -> None:
    rows = torch.tensor([[1.0], [torch.nan], [3.0]])
    assert apply("fedavg", rows, kept=[True, False, True]).aggregate.tolist() == [2.0]


def test_clients_without_examples_cannot_be_averaged(apply: Any) -> None:
    with pytest.raises(AggregationError, match="0 training examples"):
        apply("fedavg", [[1.0], [2.0]], weights=[0, 0])
