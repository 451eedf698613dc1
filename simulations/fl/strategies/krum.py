"""Krum (Blanchard et al. 2017, arXiv 1703.02757)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.krum_scores import lowest, settled
from simulations.fl.strategies.removal import remove_highest
from simulations.fl.strategies.screening import robust


@robust(remove_highest)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Take the one update of the least Krum score."""
    scores = settled(updates, context, 1)
    chosen = lowest(scores, context.kept, 1)
    winner = int(chosen.nonzero()[0])
    return Aggregation(
        aggregate=updates[winner].clone(), scores=scores, included=chosen, state=state
    )
