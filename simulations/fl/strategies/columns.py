"""Blocks of columns of the updates, small enough for a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 4096


def spans(d: int, width: int = BLOCK) -> Iterator[slice]:
    """Yield slices that cover d columns."""
    for start in range(0, d, width):
        yield slice(start, min(start + width, d))


def views(updates: Tensor) -> Iterator[Tensor]:
    """Yield the blocks as they are."""
    for columns in spans(updates.shape[1]):
        yield updates[:, columns]


def copies(
    updates: Tensor, dtype: torch.dtype = torch.float64, width: int = BLOCK
) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of columns and a copy of each block in `dtype`, valid until the next is asked.

    One buffer serves all: to have the system clear new memory takes longer than to copy.
    """
    n, d = updates.shape
    buffer = torch.empty((n, min(width, d)), dtype=dtype, device=updates.device)
    for columns in spans(d, width):
        yield columns, buffer[:, : columns.stop - columns.start].copy_(updates[:, columns])
