"""Multi-Krum (Blanchard et al. 2017, arXiv 1703.02757)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies.averages import mean_of
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.krum_scores import lowest, settled
from simulations.fl.strategies.screening import robust


@robust()
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the m = num_krum_selections updates of the least Krum scores, unweighted.

    The others are left out of this round only.
    """
    return best_of_kept(updates, context, state)


def best_of_kept(updates: Tensor, context: Context, state: State) -> Aggregation:
    selections = context.parameters["num_krum_selections"]
    scores = settled(updates, context, selections)
    chosen = lowest(scores, context.kept, selections)
    return Aggregation(
        aggregate=mean_of(updates, chosen), scores=scores, included=chosen, state=state
    )
