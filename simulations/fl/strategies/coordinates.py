"""The values of each coordinate in order, a block of coordinates at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

BLOCK = 4096


def blocks(updates: Tensor, chosen: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of columns, and (columns, m) the values of the m chosen rows in ascending order.

    `chosen` (n,) is a mask; `updates` stay as they are.
    """
    everyone = bool(chosen.all())
    rows = chosen.to(updates.device)
    for start in range(0, updates.shape[1], BLOCK):
        columns = slice(start, start + BLOCK)
        block = updates[:, columns]
        yield columns, _sorted(block if everyone else block[rows])


def _sorted(block: Tensor) -> Tensor:
    if block.is_cuda:
        return block.T.sort(dim=1).values
    # NumPy sorts short rows ten times as fast as torch, which also keeps track of indices.
    values = block.numpy().T.copy(order="C")
    values.sort(axis=1)
    return torch.from_numpy(values)


def count_beyond(block: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return in how many columns each row of `block` (n, columns) is below low or above high."""
    if block.is_cuda:
        return ((block < low) | (block > high)).sum(1)
    rows = block.numpy()
    beyond = (rows < low.numpy()) | (rows > high.numpy())
    # A row at a time NumPy counts without making eight bytes of each truth.
    return torch.tensor([np.count_nonzero(row) for row in beyond])


def closest_to_median(values: Tensor, count: int) -> Tensor:
    """Return per row the mean of the `count` values nearest to its median, in float64.

    `values` (columns, m) are in ascending order, so those values are neighbours: the window slides
    up while the value entering above is nearer than the one leaving below.
    """
    values = values.double()
    m = values.shape[1]
    median = values[:, (m - 1) // 2] / 2 + values[:, m // 2] / 2
    leaving, entering = values[:, : m - count], values[:, count:]
    first = (entering - median[:, None] < median[:, None] - leaving).sum(1)
    position = torch.arange(m, device=values.device)
    inside = (position >= first[:, None]) & (position < first[:, None] + count)
    return torch.where(inside, values, 0).sum(1) / count
