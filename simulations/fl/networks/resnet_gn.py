"""A residual network of eight layers with group normalisation.

The shape is He et al.'s for CIFAR (2016, arXiv 1512.03385) with one block a stage; groups instead
of batches are normalised because batch statistics of unlike clients do not average well (Hsieh et
al. 2020, arXiv 1910.00189), and so that all of its state is weights.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from simulations.fl.networks.sizes import RESNET_WIDTHS, Shape

GROUPS = 8


def build(shape: Shape, num_classes: int) -> nn.Module:
    """Return a stem, stages of 16, 32 and 64 filters and a linear layer on their mean."""
    first, *_, last = RESNET_WIDTHS
    stages = [_Block(before, after) for before, after in pairwise((first, *RESNET_WIDTHS))]
    return nn.Sequential(
        _convolution(shape[0], first),
        nn.GroupNorm(GROUPS, first),
        nn.ReLU(),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(last, num_classes),
    )


class _Block(nn.Module):
    """Two convolutions beside a shortcut; where the width grows, both halve the image."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = 1 if before == after else 2
        self.main = nn.Sequential(
            _convolution(before, after, stride),
            nn.GroupNorm(GROUPS, after),
            nn.ReLU(),
            _convolution(after, after),
            nn.GroupNorm(GROUPS, after),
        )
        self.shortcut: nn.Module = nn.Identity()
        if before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.GroupNorm(GROUPS, after)
            )

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = self.main(x) + self.shortcut(x)
        return functional.relu(both)


def _convolution(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
