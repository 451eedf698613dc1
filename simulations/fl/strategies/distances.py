"""Distances that rank clients, in float64, a block of columns at a time.

Distances of all pairs come from inner products, ‖a − b‖² = ‖a‖² + ‖b‖² − 2⟨a, b⟩, of vectors taken
relative to one of the rows, unless a sample of the columns shows that they are far apart anyway.
Where two rows are so close to each other and so far from the origin that the difference would lose
digits, they are measured again relative to one of their own.

The products of a block in float32 take half the time. What they decide, they decide only where a
relative error of COARSE_ERROR cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from simulations.fl.strategies.columns import copies, views

SAMPLED, SAMPLED_AT_ONCE = 4096, 64
"""So many columns are a sample, so many neighbours at a time."""
CLOSE = 1e-5
"""Pairs nearer than this share of their squared norms are measured again: ten digits stay."""
COARSE_CLOSE = 0.25
"""The same in float32."""
COARSE_ERROR = 1e-5
"""Squared distances of float32 products lie within this share of the exact ones.

Most are a hundred times as exact, but where differences are a few hundred times the distance of
neighbouring numbers, sums of their squares are always rounded down: no square ends in binary 11.
"""
Decision = TypeVar("Decision")


def settle(updates: Tensor, decide: Callable[[Tensor, float], Decision | None]) -> Decision:
    """Return what `decide` says to the squared distances (n, n) of the rows and their error.

    It is asked with distances of float32 products first, where that is worth while. If it returns
    None, because with that relative error it cannot tell, it is asked with exact ones (error 0).
    """
    if updates.dtype == torch.float32 and updates.shape[1] >= 2 * SAMPLED:
        decision = decide(squared(updates, torch.float32), COARSE_ERROR)
        if decision is not None:
            return decision
    decision = decide(squared(updates), 0.0)
    assert decision is not None, "exact distances decide"
    return decision


def to_centroid(updates: Tensor) -> Tensor:
    """Return the distance of each of the n rows to their unweighted mean, (n,) float64.

    Rows that are not finite are infinitely far, and no part of the mean.
    """
    finite = finite_rows(updates)
    result = torch.full((len(updates),), torch.inf, dtype=torch.float64)
    if finite.all():
        return _to_mean(updates)
    if finite.any():
        result[finite] = _to_mean(updates[finite.to(updates.device)])
    return result


def to_point(updates: Tensor, point: Tensor) -> Tensor:
    """Return the distance of each of the n rows to `point` (d,), as (n,) float64."""
    total = torch.zeros(len(updates), dtype=torch.float64, device=updates.device)
    for columns, block in copies(updates):
        total += _squared_lengths(block.sub_(point[columns].double()))
    return total.sqrt().cpu()


def squared(updates: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the squared distances of all pairs of the n finite rows, (n, n) float64.

    `dtype` is that in which a block is multiplied.
    """
    close = CLOSE if dtype == torch.float64 else COARSE_CLOSE
    return _squared_about(updates, _origin(updates, close), dtype, close)


def _squared_about(updates: Tensor, origin: int | None, dtype: torch.dtype, close: float) -> Tensor:
    distances, sums = _from_products(inner_products(updates, origin, dtype))
    doubtful = (distances < close * sums).fill_diagonal_(False)
    while doubtful.any():
        row = int(doubtful.any(1).nonzero()[0])
        group = doubtful[row].clone()
        group[row] = True
        members = group.nonzero().squeeze(1)
        rows = updates[members.to(updates.device)]
        cells = (members[:, None], members[None, :])
        distances[cells] = _squared_about(rows, _central_row(rows), torch.float64, CLOSE)
        doubtful[cells] = False
    return distances


def _origin(updates: Tensor, close: float) -> int | None:
    """Return the row to which others are taken relative; none where they are far apart anyway.

    Both are judged by a sample of the columns; a bad guess costs time, not digits.
    """
    sample = _sampled(updates)
    if sample is not updates:
        distances, sums = _from_products(inner_products(sample, None))
        if (distances.fill_diagonal_(torch.inf) > 2 * close * sums).all():
            return None
    return _central_row(updates)


def _central_row(updates: Tensor) -> int:
    """Return a row likely to lie among the majority; the first where there is no sample to ask."""
    sample = _sampled(updates)
    if sample is updates:
        return 0
    distances = _squared_about(sample, 0, torch.float64, CLOSE)
    return int(distances.median(dim=1).values.argmin())


def _sampled(updates: Tensor) -> Tensor:
    """Return evenly spaced columns, some neighbours at a time; all when there are not many."""
    stride = updates.shape[1] // (SAMPLED // SAMPLED_AT_ONCE)
    if stride < 2 * SAMPLED_AT_ONCE:
        return updates
    spaced = updates.unfold(1, SAMPLED_AT_ONCE, stride)
    return spaced.reshape(len(updates), -1)


def _from_products(products: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared distances of all pairs, and the sums of their squared lengths."""
    lengths = products.diagonal()
    sums = lengths[:, None] + lengths[None, :]
    return (sums - 2 * products).clamp_(min=0).fill_diagonal_(0), sums


def inner_products(
    updates: Tensor, origin: int | None, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return ⟨x_i − x_o, x_j − x_o⟩ of all pairs of the n rows, (n, n) float64; o = `origin`.

    Without an origin it is ⟨x_i, x_j⟩.
    """
    total = torch.zeros((len(updates), len(updates)), dtype=torch.float64)
    for block in _relative(updates, origin, dtype):
        total += _products(block).cpu()
    return total


def _relative(updates: Tensor, origin: int | None, dtype: torch.dtype) -> Iterator[Tensor]:
    if origin is None and dtype == updates.dtype:
        yield from views(updates)
        return
    for _, block in copies(updates, dtype):
        yield block if origin is None else block.sub_(block[origin].clone())


def finite_rows(updates: Tensor) -> Tensor:
    """Return which rows hold neither NaN nor infinity, nor a length beyond float64, (n,) bool."""
    finite: Tensor = _overview(updates).isfinite()
    if not finite.all():
        doubtful = updates[~finite]
        finite[~finite] = torch.linalg.vector_norm(doubtful, dim=1, dtype=torch.float64).isfinite()
    return finite.cpu()


def _overview(updates: Tensor) -> Tensor:
    """Return a number for each row that is finite only where the row surely is."""
    if updates.dtype == torch.float64:
        lengths: Tensor = torch.linalg.vector_norm(updates, dim=1)
        return lengths
    # No row of smaller numbers is longer than float64 can tell.
    return updates.sum(dim=1)


def _to_mean(updates: Tensor) -> Tensor:
    total = torch.zeros(len(updates), dtype=torch.float64, device=updates.device)
    for _, block in copies(updates):
        total += _squared_lengths(block.sub_(block.mean(0)))
    return total.sqrt().cpu()


def _squared_lengths(block: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vecdot(block, block)
    return lengths


def _products(block: Tensor) -> Tensor:
    if block.is_cuda:
        return block @ block.T
    # NumPy sees that the product is symmetric and does half the work.
    rows = block.numpy()
    return torch.from_numpy(rows @ rows.T)
