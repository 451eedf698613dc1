"""RFA: the geometric median (Pillutla, Kakade and Harchaoui 2022, arXiv 1912.13445)."""

from __future__ import annotations

import torch
from torch import Tensor

from simulations.fl.strategies import distances
from simulations.fl.strategies.averages import shares_of, weighted_mean
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.krum_scores import lowest
from simulations.fl.strategies.removal import remove_highest
from simulations.fl.strategies.screening import robust

MOST_STEPS = 1000
TOLERANCE = 1e-6
SMOOTHING = 1e-6
FAR = 1e12
"""Beyond this ratio of squared distances, inner products are measured, not derived from them."""


@robust(remove_highest)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Minimise Σ a_i ‖z − x_i‖ by smoothed Weiszfeld steps, a_i the numbers of training examples.

    All steps happen in the span of the updates: z = Σ p_i x_i, and only the n × n inner products
    are used. A client's score is its distance to the median.
    """
    weights = shares_of(context.weights * context.kept)
    products = _about_central_row(updates, weights, context.kept)
    shares, scores = geometric_median(products, weights)
    return Aggregation(
        aggregate=weighted_mean(updates, shares),
        scores=scores,
        included=context.kept.clone(),
        state=state,
    )


def geometric_median(products: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shares p (n,) of the rows in their median, and the distances to it (n,).

    `products` (n, n) are inner products about an origin near most of the weight; `weights` sum to
    1. Rows enter by their direction and length, so that a row of length 1e30 costs the others no
    digits. Lengths are smoothed at a millionth of the typical one; it ends when a step moves the
    median less than a millionth of the typical distance to it.
    """
    lengths = products.diagonal().sqrt()
    scale = torch.where(lengths > 0, lengths, 1.0)
    directions = products / scale[:, None] / scale[None, :]
    least = max(SMOOTHING * float(_typical(lengths, weights)), 1e-150)
    shares = weights
    reach = _distances(directions, lengths, shares)
    for _ in range(MOST_STEPS):
        pull = weights / reach.clamp(min=least)
        moved = pull / pull.sum()
        step = (moved - shares) * lengths
        shares = moved
        reach = _distances(directions, lengths, shares)
        if (step @ directions @ step).clamp(min=0).sqrt() <= TOLERANCE * _typical(reach, weights):
            break
    return _median_row(directions, lengths, weights, reach, least) or (shares, reach)


def _median_row(
    directions: Tensor, lengths: Tensor, weights: Tensor, reach: Tensor, least: float
) -> tuple[Tensor, Tensor] | None:
    """Return the shares and distances of the row nearest to where steps ended, if it is the median.

    Steps towards a row become ever shorter and need not arrive. It is the median if the others pull
    it no harder than its own weight (Kuhn 1973); those within `least` count as in the same place.
    """
    row = torch.zeros_like(weights)
    row[int(reach.where(weights > 0, torch.inf).argmin())] = 1
    apart = _distances(directions, lengths, row)
    is_there = apart <= least
    pull = weights / apart.clamp(min=least) * ~is_there
    force = (pull - pull.sum() * row) * lengths
    is_median = (force @ directions @ force).clamp(min=0).sqrt() <= weights[is_there].sum()
    return (row, apart) if is_median else None


def _distances(directions: Tensor, lengths: Tensor, shares: Tensor) -> Tensor:
    """Return ‖z − x_i‖ for z = Σ p_j x_j, from the unit directions and the lengths of the rows."""
    along = shares * lengths
    onto = directions @ along
    squared = along @ onto - 2 * lengths * onto + lengths.square()
    return squared.clamp(min=0).sqrt()


def _typical(values: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted median of the last dimension; lower ones hold less than half."""
    order = values.argsort(dim=-1)
    below = weights[order].cumsum(dim=-1) < 0.5
    median = order.gather(-1, below.sum(dim=-1, keepdim=True))
    return values.gather(-1, median).squeeze(-1)


def _about_central_row(updates: Tensor, weights: Tensor, kept: Tensor) -> Tensor:
    """Return the inner products (n, n) about the kept row whose typical distance is least.

    That row lies where most of the weight is, wherever the others are.
    """
    squared = distances.squared(updates)
    typical = _typical(squared, weights)
    origin = int(lowest(typical, kept, 1).nonzero()[0])
    lengths = squared[origin]
    if lengths.max() > FAR * typical[origin]:
        return distances.inner_products(updates, origin)
    return (lengths[:, None] + lengths[None, :] - squared) / 2
