"""Blocks of columns of the updates, small enough for a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_BYTES = 4 << 20
LEAST = 256
"""Narrower blocks take longer to begin than to compute."""


def spans(d: int, num_rows: int, dtype: torch.dtype) -> Iterator[slice]:
    """Yield slices that cover d columns, each as wide as a block of so many rows may be."""
    width = max(LEAST, BLOCK_BYTES // (num_rows * dtype.itemsize))
    for start in range(0, d, width):
        yield slice(start, min(start + width, d))


def views(updates: Tensor) -> Iterator[Tensor]:
    """Yield the blocks as they are."""
    for columns in spans(updates.shape[1], len(updates), updates.dtype):
        yield updates[:, columns]


def copies(updates: Tensor, dtype: torch.dtype = torch.float64) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of columns and a copy of each block in `dtype`, valid until the next is asked.

    One buffer serves all: to have the system clear new memory takes longer than to copy.
    """
    n, d = updates.shape
    slices = list(spans(d, n, dtype))
    buffer = torch.empty((n, slices[0].stop), dtype=dtype, device=updates.device)
    for columns in slices:
        yield columns, buffer[:, : columns.stop - columns.start].copy_(updates[:, columns])
