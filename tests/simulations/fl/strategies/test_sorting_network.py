from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulations.fl.strategies import columns, coordinates
from simulations.fl.strategies.near_median import mean_near_median
from simulations.fl.strategies.sorting_network import Use, network, order


def of_zeros_and_ones(n: int) -> NDArray[np.float32]:
    """What orders all columns of zeros and ones orders every column (Knuth's 0-1 principle)."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)), dtype=np.float32).T.copy()


def through(uses: list[Use], values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, spare = list(values.copy()), np.empty_like(values[0])
    order(rows, spare, network(tuple(uses)))
    return np.stack(rows)


@pytest.mark.parametrize("n", range(1, 14))
def test_it_sorts(n: int) -> None:
    values = of_zeros_and_ones(n)
    assert (through([Use.RANK] * n, values) == np.sort(values, axis=0)).all()


@settings(max_examples=60)
@given(st.lists(st.sampled_from(list(Use)), min_size=1, max_size=11))
def test_what_is_wanted_is_right(uses: list[Use]) -> None:
    values = of_zeros_and_ones(len(uses))
    found, expected = through(uses, values), np.sort(values, axis=0)
    for use in (Use.RANK, Use.SET):
        ranks = [rank for rank, each in enumerate(uses) if each is use]
        ours = found[ranks] if use is Use.RANK else np.sort(found[ranks], axis=0)
        assert (ours == expected[ranks]).all()


def test_what_is_not_wanted_saves_work() -> None:
    def operations(uses: list[Use]) -> int:
        return sum(one.wants_low + one.wants_high for one in network(tuple(uses)))

    assert operations([Use.RANK] * 8) == 2 * 19
    assert operations([Use.NONE, *[Use.SET] * 6, Use.NONE]) == 2 * 10 - 2
    assert operations([Use.RANK, *[Use.NONE] * 7]) == 7
    assert operations([Use.SET] * 8) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("most_rows", [0, 96])
def test_blocks_hold_the_ranks_of_the_chosen(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, most_rows: int
) -> None:
    monkeypatch.setattr(columns, "LEAST", 5)
    monkeypatch.setattr(columns, "BLOCK_BYTES", 0)
    monkeypatch.setattr(coordinates, "MOST_ROWS", most_rows)
    updates = torch.randn((9, 24), generator=torch.Generator().manual_seed(1), dtype=dtype)
    before = updates.clone()
    chosen = torch.tensor([True] * 4 + [False] * 2 + [True] * 3)
    found = torch.empty((7, 24), dtype=dtype)
    for block, values in coordinates.by_rank(updates, chosen, [Use.RANK] * 7):
        found[:, block] = torch.stack(values)
    assert torch.equal(found, updates[chosen].sort(dim=0).values)
    assert torch.equal(updates, before)


@pytest.mark.parametrize("m", range(1, 10))
def test_the_values_nearest_to_the_median_are_averaged(m: int) -> None:
    """Values are distinct integers, no two of which are as near to the median."""
    generator = torch.Generator().manual_seed(m)
    updates = torch.stack([torch.randperm(500, generator=generator)[:m] for _ in range(200)], dim=1)
    updates = (updates * updates).float()
    chosen = torch.ones(m, dtype=torch.bool)
    for count in range(1, m + 1):
        ours = mean_near_median(updates, chosen, count)
        for column, value in zip(updates.T.tolist(), ours.tolist(), strict=True):
            median = float(np.median(column))
            nearest = sorted(column, key=lambda x: (abs(x - median), x))[:count]
            assert value == pytest.approx(sum(nearest) / count)
