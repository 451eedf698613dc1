"""Federated averaging (McMahan et al. 2017, arXiv 1602.05629)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.distances import to_centroid


def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the updates, weighted by the number of training examples behind each."""
    weights = context.weights * context.kept
    mean = (weights / weights.sum()).to(updates.dtype) @ updates
    return Aggregation(
        aggregate=mean,
        scores=to_centroid(updates),
        included=context.kept.clone(),
        state=state,
    )
