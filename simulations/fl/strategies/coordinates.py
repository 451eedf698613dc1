"""The values of each coordinate by rank, a block of coordinates at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from simulations.fl.strategies.columns import spans
from simulations.fl.strategies.sorting_network import Use, network, order

MOST_ROWS = 96
"""A network for more rows takes longer than to sort the columns one by one."""


def by_rank(
    updates: Tensor, chosen: Tensor, uses: Sequence[Use]
) -> Iterator[tuple[slice, list[Tensor]]]:
    """Yield slices of columns and, for each rank among the m chosen rows, its values (columns,).

    `chosen` (n,) is a mask. Only the ranks that `uses` (m,) wants are valid, and only until the
    next block; `updates` stay as they are.
    """
    rows = chosen.nonzero().squeeze(1).tolist()
    if updates.is_cuda or len(rows) > MOST_ROWS:
        return _sorted(updates, rows)
    return _through_network(updates, rows, uses)


def _through_network(
    updates: Tensor, rows: list[int], uses: Sequence[Use]
) -> Iterator[tuple[slice, list[Tensor]]]:
    comparators = network(tuple(uses))
    slices = list(spans(updates.shape[1], len(rows), updates.dtype))
    buffer = torch.empty((len(rows) + 1, slices[0].stop), dtype=updates.dtype).numpy()
    for columns in slices:
        *values, spare = buffer[:, : columns.stop - columns.start]
        for value, row in zip(values, rows, strict=True):
            np.copyto(value, updates[row, columns].numpy())
        order(values, spare, comparators)
        yield columns, [torch.from_numpy(value) for value in values]


def _sorted(updates: Tensor, rows: list[int]) -> Iterator[tuple[slice, list[Tensor]]]:
    for columns in spans(updates.shape[1], len(rows), updates.dtype):
        values = updates[rows, columns]
        if values.is_cuda:
            yield columns, list(values.sort(dim=0).values)
            continue
        # NumPy sorts short rows ten times as fast as torch, which also keeps track of indices.
        transposed = values.T.contiguous()
        transposed.numpy().sort(axis=1)
        yield columns, list(values.copy_(transposed.T))


def total(values: Sequence[Tensor]) -> Tensor:
    """Return the sum of some values (columns,) in float64."""
    if values[0].is_cuda:
        return torch.stack(list(values)).sum(0, dtype=torch.float64)
    # NumPy takes half the time of torch to add float32 to float64.
    result = np.zeros(len(values[0]))
    for value in values:
        np.add(result, value.numpy(), out=result)
    return torch.from_numpy(result)


def count_beyond(block: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return in how many columns each row of `block` (n, columns) is below low or above high."""
    if block.is_cuda:
        return ((block < low) | (block > high)).sum(1)
    # A row at a time NumPy counts without making eight bytes of each truth.
    least, most, is_beyond = low.numpy(), high.numpy(), np.empty(len(low), dtype=bool)
    return torch.tensor(
        [
            np.count_nonzero(np.less(row, least, out=is_beyond))
            + np.count_nonzero(np.greater(row, most, out=is_beyond))
            for row in block.numpy()
        ]
    )
