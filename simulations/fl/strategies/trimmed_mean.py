"""Coordinate-wise trimmed mean (Yin et al. 2018, arXiv 1803.01498)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from simulations.fl.strategies import coordinates
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.removal import suspend_highest
from simulations.fl.strategies.screening import robust
from simulations.fl.strategies.sorting_network import Use

ROUNDING = 1e-9
"""A product of a ratio and n this close below a whole number is meant to be that number."""


def trimmed_at_each_end(trim_ratio: float, num_clients: int) -> int:
    """Return k = ⌊trim_ratio · n⌋, as in exact arithmetic, and such that something is left."""
    return min(math.floor(trim_ratio * num_clients + ROUNDING), (num_clients - 1) // 2)


def _uses(n: int, k: int) -> list[Use]:
    """The ranks averaged, those at their ends also as what the others lie between."""
    uses = [Use.NONE] * k + [Use.SET] * (n - 2 * k) + [Use.NONE] * k
    uses[k] = uses[n - k - 1] = Use.RANK
    return uses


def _suspend_one(answer: Aggregation, context: Context) -> Aggregation:
    return suspend_highest(answer, context, 1)


@robust(_suspend_one)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average each coordinate without its k smallest and k largest values, k = ⌊trim_ratio · n⌋.

    A client's score is the share of coordinates in which its value lies beyond those averaged.
    """
    n = int(context.kept.sum())
    k = trimmed_at_each_end(context.parameters["trim_ratio"], n)
    mean = torch.empty(updates.shape[1], dtype=updates.dtype, device=updates.device)
    beyond = torch.zeros(len(updates), dtype=torch.int64, device=updates.device)
    for columns, values in coordinates.by_rank(updates, context.kept, _uses(n, k)):
        retained = values[k : n - k]
        mean[columns] = (coordinates.total(retained) / len(retained)).to(mean.dtype)
        beyond += coordinates.count_beyond(updates[:, columns], retained[0], retained[-1])
    scores = beyond.double().cpu() / updates.shape[1]
    return Aggregation(aggregate=mean, scores=scores, included=context.kept.clone(), state=state)
