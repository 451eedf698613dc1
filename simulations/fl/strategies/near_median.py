"""Per coordinate, the mean of the values nearest to the median."""

from __future__ import annotations

import torch
from torch import Tensor

from simulations.fl.strategies import coordinates
from simulations.fl.strategies.sorting_network import Use


def mean_near_median(updates: Tensor, chosen: Tensor, count: int) -> Tensor:
    """Average, of each coordinate's values in the m chosen rows, the `count` nearest to the median.

    Return (d,) in the updates' type. Those values are neighbours in ascending order: of each two
    ranks `count` apart, on either side of the median, they contain the nearer, below it where both
    are as near; what lies between all such pairs they contain anyway.
    """
    m = int(chosen.sum())
    pairs = range(max(0, (m + 1) // 2 - count), min(m - count, m // 2))
    between = range(pairs.stop, pairs.start + count)
    middle = (m - 1) // 2, m // 2
    uses = [Use.NONE] * m
    for rank in between:
        uses[rank] = Use.SET
    for rank in (*middle, *pairs, *(low + count for low in pairs)):
        uses[rank] = Use.RANK
    mean = torch.empty(updates.shape[1], dtype=updates.dtype, device=updates.device)
    for columns, values in coordinates.by_rank(updates, chosen, uses):
        median = (values[middle[0]].double() + values[middle[1]].double()) / 2
        nearer = [_nearer(values[low], values[low + count], median) for low in pairs]
        mean[columns] = coordinates.total([*nearer, *values[between.start : between.stop]]) / count
    return mean


def _nearer(low: Tensor, high: Tensor, median: Tensor) -> Tensor:
    return torch.where(high - median < median - low, high, low)
