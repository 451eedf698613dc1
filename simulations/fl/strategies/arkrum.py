"""ArKrum: Krum that estimates f itself (Yang and Imam 2025, arXiv 2505.17226).

Written after the paper's abstract and the authors' program (github.com/kun0906/nvflare, folder
auto_labeling/ICONIP/ragg, at 355bae0); docs/strategies.md tells where ours differs, and why.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simulations.fl.strategies import distances
from simulations.fl.strategies.averages import mean_of
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.krum_scores import lowest, neighbours, to_others
from simulations.fl.strategies.screening import robust


@robust()
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the n − f̂ updates closest to the Krum winner, f̂ being the winner's estimate of f.

    Every client estimates f from its squared distances to the others, and its score is its mean
    squared distance to its n − f̂_i − 2 nearest others: a sum would favour whoever estimates most.
    The state keeps f̂ of the last round.
    """
    squared = distances.squared(updates)
    n = int(context.kept.sum())
    ascending = to_others(squared, context.kept).sort(dim=1).values
    estimates = [estimate(row[row.isfinite()], (n - 3) // 2) for row in ascending]
    scores = torch.stack(
        [
            row[row.isfinite()][: neighbours(n, f)].sum() / neighbours(n, f)
            for row, f in zip(ascending, estimates, strict=True)
        ]
    )
    winner = int(lowest(scores, context.kept, 1).nonzero()[0])
    chosen = lowest(squared[winner], context.kept, n - estimates[winner])
    return Aggregation(
        aggregate=mean_of(updates, chosen),
        scores=scores,
        included=chosen,
        state={"estimated_malicious": estimates[winner]},
    )


def estimate(ascending: Tensor, most: int) -> int:
    """Return how many of a client's distances to others, in ascending order, are to attackers.

    Distances beyond median + (median − least) are to attackers. The rest is cut into two segments
    of least squared error, and those in the upper one are to attackers too. At `most` so many
    (n > 2f + 2); of equally good cuts the one with the fewest attackers.
    """
    total = len(ascending)
    if most < 1 or total < 1:
        return 0
    median = (ascending[(total - 1) // 2] + ascending[total // 2]) / 2
    passed = ascending[ascending <= 2 * median - ascending[0]]
    filtered = total - len(passed)
    if filtered >= most:
        return most
    below = _squared_errors(passed)
    above = _squared_errors(passed.flip(0))
    errors = [below[len(passed) - k] + above[k] for k in range(most - filtered + 1)]
    return filtered + errors.index(min(errors))


def _squared_errors(values: Tensor) -> list[float]:
    """Return the squared error about their mean of the first 0, 1, 2, … values (Welford 1962)."""
    errors, mean = [0.0], 0.0
    for count, value in enumerate(values.tolist(), start=1):
        change = value - mean
        mean += change / count
        errors.append(errors[-1] + change * (value - mean))
    return errors
