"""Distances that rank clients, in float64, a block of columns at a time.

Distances of all pairs come from inner products, ‖a − b‖² = ‖a‖² + ‖b‖² − 2⟨a, b⟩, of vectors taken
relative to one of the rows. Where two rows are so close to each other and so far from that row
that the difference would lose digits, they are measured again relative to one of their own.

The products of a block in float32 take half the time. What they decide, they decide only where a
relative error of COARSE_ERROR cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

BLOCK, COARSE_BLOCK = 4096, 16_384
CLOSE = 1e-5
"""Pairs nearer than this share of their squared norms are measured again: ten digits stay."""
COARSE_CLOSE = 0.25
"""The same in float32, where the error is below 2.5e-7 of the squared norms."""
COARSE_ERROR = 1e-6
"""Squared distances of float32 products lie within this share of the exact ones."""
Decision = TypeVar("Decision")


def settle(updates: Tensor, decide: Callable[[Tensor, float], Decision | None]) -> Decision:
    """Return what `decide` says to the squared distances (n, n) of the rows and their error.

    It is asked with distances of float32 products first, where that is worth while. If it returns
    None, because with that relative error it cannot tell, it is asked with exact ones (error 0).
    """
    if updates.dtype == torch.float32 and updates.shape[1] >= 2 * BLOCK:
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
    for columns, block in _blocks(updates):
        total += block.sub_(point[columns].double()).square_().sum(1)
    return total.sqrt().cpu()


def squared(updates: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the squared distances of all pairs of the n finite rows, (n, n) float64.

    `dtype` is that in which a block is multiplied.
    """
    products = inner_products(updates, _central_row(updates), dtype)
    norms = products.diagonal()
    sums = norms[:, None] + norms[None, :]
    distances = (sums - 2 * products).clamp_(min=0).fill_diagonal_(0)
    close = CLOSE if dtype == torch.float64 else COARSE_CLOSE
    doubtful = (distances < close * sums).fill_diagonal_(False)
    while doubtful.any():
        row = int(doubtful.any(1).nonzero()[0])
        group = doubtful[row].clone()
        group[row] = True
        members = group.nonzero().squeeze(1)
        cells = (members[:, None], members[None, :])
        distances[cells] = squared(updates[members.to(updates.device)])
        doubtful[cells] = False
    return distances


def _central_row(updates: Tensor) -> int:
    """Return a row likely to lie among the majority, judged by a sample of the columns.

    A bad guess costs time, not digits.
    """
    stride = updates.shape[1] // BLOCK
    if stride < 2:
        return 0
    return int(squared(updates[:, ::stride]).median(dim=1).values.argmin())


def inner_products(updates: Tensor, origin: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return ⟨x_i − x_o, x_j − x_o⟩ of all pairs of the n rows, (n, n) float64; o = `origin`."""
    n = len(updates)
    total = torch.zeros((n, n), dtype=torch.float64)
    width = BLOCK if dtype == torch.float64 else COARSE_BLOCK
    for start in range(0, updates.shape[1], width):
        block = updates[:, start : start + width].to(dtype)
        total += _products(block - block[origin]).cpu()
    return total


def finite_rows(updates: Tensor) -> Tensor:
    """Return which rows hold neither NaN nor infinity, nor a length beyond float64, (n,) bool."""
    finite: Tensor = torch.linalg.vector_norm(updates, dim=1).isfinite()
    if not finite.all():
        doubtful = updates[~finite]
        finite[~finite] = torch.linalg.vector_norm(doubtful, dim=1, dtype=torch.float64).isfinite()
    return finite.cpu()


def _to_mean(updates: Tensor) -> Tensor:
    total = torch.zeros(len(updates), dtype=torch.float64, device=updates.device)
    for _, block in _blocks(updates):
        total += block.sub_(block.mean(0)).square_().sum(1)
    return total.sqrt().cpu()


def _blocks(updates: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield float64 copies of blocks of columns, small enough for the processor's cache."""
    for start in range(0, updates.shape[1], BLOCK):
        columns = slice(start, start + BLOCK)
        yield columns, updates[:, columns].to(torch.float64, copy=True)


def _products(block: Tensor) -> Tensor:
    if block.is_cuda:
        return block @ block.T
    # NumPy sees that the product is symmetric and does half the work.
    rows = block.numpy()
    return torch.from_numpy(rows @ rows.T)
