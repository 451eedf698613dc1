"""The Krum score (Blanchard et al. 2017, arXiv 1703.02757) and selection by it."""

from __future__ import annotations

import torch
from torch import Tensor

from simulations.fl.strategies import distances
from simulations.fl.strategies.base import Context


def settled(updates: Tensor, context: Context, selected: int) -> Tensor:
    """Return the Krum scores (n,) of the updates, which tell for certain who scores best and worst.

    Certain are the `selected` lowest and the highest among those kept; the scores themselves may be
    off by a share of `distances.COARSE_ERROR`.
    """

    def decide(squared: Tensor, error: float) -> Tensor | None:
        scores = krum_scores(squared, context.kept, context.remaining_malicious)
        return scores if is_certain(scores[context.kept], selected, error) else None

    return distances.settle(updates, decide)


def is_certain(scores: Tensor, lowest: int, error: float) -> bool:
    """Tell whether a relative `error` of the scores changes neither the lowest nor the highest."""
    if error == 0:
        return True
    ascending = scores.sort().values
    places = [place for place in (lowest, len(ascending) - 1) if 0 < place < len(ascending)]
    # Comparisons with NaN are false: what overflowed is not certain.
    return all(
        bool(ascending[place] - ascending[place - 1] > 2 * error * ascending[place])
        for place in places
    )


def krum_scores(squared: Tensor, kept: Tensor, num_malicious: int) -> Tensor:
    """Return each client's sum of squared distances to its nearest others among those kept.

    `squared` (n, n) are distances, `kept` (n,) is a mask. With n' clients kept and f malicious ones
    among them, n' − f − 2 neighbours count, but always one; with no other kept the score is 0.
    """
    return sum_of_nearest(squared, kept, neighbours(int(kept.sum()), num_malicious))


def neighbours(num_clients: int, num_malicious: int) -> int:
    return max(1, num_clients - num_malicious - 2)


def sum_of_nearest(squared: Tensor, kept: Tensor, count: int) -> Tensor:
    nearest = to_others(squared, kept).sort(dim=1).values[:, :count]
    return nearest.masked_fill(nearest.isinf(), 0).sum(1)


def to_others(squared: Tensor, kept: Tensor) -> Tensor:
    """Return `squared` with infinity where the column is no other client that is kept."""
    return squared.masked_fill(~kept, torch.inf).fill_diagonal_(torch.inf)


def lowest(scores: Tensor, kept: Tensor, count: int) -> Tensor:
    """Return a mask (n,) of the `count` clients of the lowest scores among those kept.

    Of equal scores the first wins; `count` beyond the number kept means all of them.
    """
    order = scores.masked_fill(~kept, torch.inf).argsort(stable=True)
    chosen = torch.zeros_like(kept)
    chosen[order[:count]] = True
    return chosen & kept
