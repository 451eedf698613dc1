"""Distances that rank clients, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 1 << 18


def to_centroid(updates: Tensor) -> Tensor:
    """Return the distance of each of the n rows to their unweighted mean, (n,) float64."""
    total = torch.zeros(updates.shape[0], dtype=torch.float64, device=updates.device)
    for block in updates.split(BLOCK, dim=1):
        exact = block.double()
        total += (exact - exact.mean(0)).square().sum(1)
    return total.sqrt()
