"""The values of each coordinate in order, a block of coordinates at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulations.fl.strategies.columns import spans


def blocks(updates: Tensor, chosen: Tensor, width: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of columns, and (columns, m) the values of the m chosen rows in ascending order.

    `chosen` (n,) is a mask; `updates` stay as they are. The values are valid until the next block.
    """
    rows = chosen.nonzero().squeeze(1).tolist()
    d = updates.shape[1]
    if updates.is_cuda:
        for columns in spans(d, width):
            yield columns, updates[rows, columns].T.sort(dim=1).values
        return
    buffer = torch.empty((min(width, d), len(rows)), dtype=updates.dtype)
    for columns in spans(d, width):
        values = buffer[: columns.stop - columns.start]
        _transpose(updates[:, columns].numpy(), rows, values.numpy())
        # NumPy sorts short rows ten times as fast as torch, which also keeps track of indices.
        values.numpy().sort(axis=1)
        yield columns, values


def _transpose(block: NDArray[Any], rows: list[int], values: NDArray[Any]) -> None:
    if len(rows) == len(block):
        np.copyto(values, block.T)
        return
    for place, row in enumerate(rows):
        values[:, place] = block[row]


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
    # NumPy takes half the time of torch for the same steps.
    by_rank = (
        values.T.double() if values.is_cuda else values.numpy().T.astype(np.float64, order="C")
    )
    return torch.as_tensor(_mean_closest_to_median(by_rank, count))


def _mean_closest_to_median(by_rank: Any, count: int) -> Any:
    """Do it with an array or a tensor (m, columns), which is overwritten."""
    m = len(by_rank)
    median = by_rank[(m - 1) // 2] / 2 + by_rank[m // 2] / 2
    entering, leaving = by_rank[count:], by_rank[: m - count]
    slides = entering - median < median - leaving
    entering *= slides
    leaving *= ~slides
    return by_rank.sum(0) / count
