"""Federated averaging (McMahan et al. 2017, arXiv 1602.05629)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies.averages import weighted_mean
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.distances import finite_rows
from simulations.fl.strategies.screening import ids_where, require_candidates


def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the updates, weighted by the number of training examples behind each.

    It is not robust: a NaN in one update is a NaN in the average.
    """
    require_candidates(context.kept, context)
    return Aggregation(
        aggregate=weighted_mean(updates, context.weights * context.kept),
        scores=None,
        included=context.kept.clone(),
        state=state,
        rejected=ids_where(~finite_rows(updates), context),
    )
