"""Averages of updates, in float64, rounded once."""

from __future__ import annotations

import torch
from torch import Tensor

from simulations.fl.errors import AggregationError
from simulations.fl.strategies.columns import copies


def weighted_mean(updates: Tensor, weights: Tensor) -> Tensor:
    """Return Σ w_i x_i / Σ w_i over the rows of weight above zero, (d,) in the updates' type."""
    shares = shares_of(weights)
    mean = _combined(updates, shares)
    if mean.isfinite().all() or shares.all():
        return mean
    # Perhaps a row without weight is to blame: zero times infinity is not zero.
    weighty = shares > 0
    return _combined(updates[weighty.to(updates.device)], shares[weighty])


def _combined(updates: Tensor, shares: Tensor) -> Tensor:
    shares = shares.to(updates.device)
    mean = torch.empty(updates.shape[1], dtype=updates.dtype, device=updates.device)
    for columns, block in copies(updates):
        mean[columns] = shares @ block
    return mean


def shares_of(weights: Tensor) -> Tensor:
    """Return w_i / Σ w_i, (n,) float64."""
    if not weights.any():
        raise AggregationError(
            "the updates to average have no weight: every client that may enter the aggregate "
            "reports 0 training examples; give at least one of them examples to train on"
        )
    return weights.double() / weights.double().sum()


def mean_of(updates: Tensor, chosen: Tensor) -> Tensor:
    """Return the unweighted mean of the rows that the mask `chosen` (n,) names."""
    return weighted_mean(updates, chosen.double())
