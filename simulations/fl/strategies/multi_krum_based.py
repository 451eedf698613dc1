"""Multi-Krum among the clients not removed (after Blanchard et al. 2017, arXiv 1703.02757)."""

from __future__ import annotations

from torch import Tensor

from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.multi_krum import best_of_kept
from simulations.fl.strategies.removal import remove_highest
from simulations.fl.strategies.screening import robust


def _remove_down_to_selections(answer: Aggregation, context: Context) -> Aggregation:
    if int(context.kept.sum()) <= context.parameters["num_krum_selections"]:
        return answer
    return remove_highest(answer, context)


@robust(_remove_down_to_selections)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the m = num_krum_selections best of the clients not removed, unweighted.

    While removing, the highest score goes for good, one a round, until m clients are left.
    """
    return best_of_kept(updates, context, state)
