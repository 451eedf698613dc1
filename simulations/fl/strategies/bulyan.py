"""Bulyan over Krum (El Mhamdi, Guerraoui and Rouault 2018, arXiv 1802.07927)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies import distances
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.krum_scores import krum_scores, lowest
from simulations.fl.strategies.near_median import mean_near_median
from simulations.fl.strategies.removal import suspend_highest
from simulations.fl.strategies.screening import robust


def tolerated(num_clients: int, num_malicious: int) -> int:
    """Return f, or the most that leaves a value to average, n − 4f ≥ 1, where n is too small."""
    return min(num_malicious, (num_clients - 1) // 4)


def _suspend_f(answer: Aggregation, context: Context) -> Aggregation:
    return suspend_highest(answer, context, context.num_malicious)


@robust(_suspend_f)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Select θ = n − 2f updates by repeated Krum, then average per coordinate the θ − 2f values
    closest to the median of those selected. A client's score is its distance to the aggregate.
    """
    n = int(context.kept.sum())
    f = tolerated(n, context.num_malicious)
    selected = _select(distances.squared(updates), context.kept, f, n - 2 * f)
    mean = mean_near_median(updates, selected, n - 4 * f)
    scores = distances.to_point(updates, mean)
    return Aggregation(aggregate=mean, scores=scores, included=selected, state=state)


def _select(squared: Tensor, kept: Tensor, num_malicious: int, count: int) -> Tensor:
    """Take the Krum winner of those remaining, `count` times."""
    remaining = kept.clone()
    for _ in range(count):
        scores = krum_scores(squared, remaining, num_malicious)
        remaining &= ~lowest(scores, remaining, 1)
    return kept & ~remaining
