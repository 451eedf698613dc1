"""The Krum score (Blanchard et al. 2017, arXiv 1703.02757) and selection by it."""

from __future__ import annotations

import torch
from torch import Tensor


def krum_scores(distances: Tensor, kept: Tensor, num_malicious: int) -> Tensor:
    """Return each client's sum of squared distances to its nearest others among those kept.

    `distances` (n, n) are squared, `kept` (n,) is a mask. With n' clients kept and f malicious ones
    among them, n' − f − 2 neighbours count, but always one; with no other kept the score is 0.
    """
    return sum_of_nearest(distances, kept, neighbours(int(kept.sum()), num_malicious))


def neighbours(num_clients: int, num_malicious: int) -> int:
    return max(1, num_clients - num_malicious - 2)


def sum_of_nearest(distances: Tensor, kept: Tensor, count: int) -> Tensor:
    nearest = to_others(distances, kept).sort(dim=1).values[:, :count]
    return nearest.masked_fill(nearest.isinf(), 0).sum(1)


def to_others(distances: Tensor, kept: Tensor) -> Tensor:
    """Return `distances` with infinity where the column is no other client that is kept."""
    return distances.masked_fill(~kept, torch.inf).fill_diagonal_(torch.inf)


def lowest(scores: Tensor, kept: Tensor, count: int) -> Tensor:
    """Return a mask (n,) of the `count` clients of the lowest scores among those kept.

    Of equal scores the first wins; `count` beyond the number kept means all of them.
    """
    order = scores.masked_fill(~kept, torch.inf).argsort(stable=True)
    chosen = torch.zeros_like(kept)
    chosen[order[:count]] = True
    return chosen & kept
