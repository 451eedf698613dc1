"""Two hidden layers of 200 (the 2NN of McMahan et al. 2017, arXiv 1602.05629)."""

from __future__ import annotations

from math import prod

from torch import nn

from simulations.fl.networks.sizes import MLP_HIDDEN, Shape


def build(shape: Shape, num_classes: int) -> nn.Module:
    """Return fully connected layers with ReLU between them."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = prod(shape)
    for hidden in MLP_HIDDEN:
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, num_classes))
