"""Logistic regression on pixels: convex, and the fastest network to study rules with."""

from __future__ import annotations

from math import prod

from torch import nn

from simulations.fl.networks.sizes import Shape


def build(shape: Shape, num_classes: int) -> nn.Module:
    """Return one linear layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), num_classes))
