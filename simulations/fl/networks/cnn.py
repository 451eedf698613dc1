"""Convolutional networks: [conv - ReLU - maxpool 2] twice, then fully connected layers.

The maximum is taken before ReLU, on which it has no effect: of numbers a quarter as many.
"""

from __future__ import annotations

from torch import nn

from simulations.fl.networks.sizes import Shape, halved_twice


def build(shape: Shape, num_classes: int) -> nn.Module:
    """Return the default network of 28x28 images: conv 16, 32 and fully connected 128, 64."""
    return _two_hidden_layers(shape, num_classes, filters=(16, 32), hidden=(128, 64))


def build_small(shape: Shape, num_classes: int) -> nn.Module:
    """Return the network of the smaller 28x28 sets: conv 6, 16 and fully connected 64, 32."""
    return _two_hidden_layers(shape, num_classes, filters=(6, 16), hidden=(64, 32))


def build_wide(shape: Shape, num_classes: int) -> nn.Module:
    """Return the network of every other size: conv 32, 64 (same padding), fully connected 512."""
    channels, height, width = shape
    return nn.Sequential(
        *_convolution(channels, 32, padding=2),
        *_convolution(32, 64, padding=2),
        nn.Flatten(),
        nn.Linear(64 * (height // 4) * (width // 4), 512),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(512, num_classes),
    )


def _two_hidden_layers(
    shape: Shape, num_classes: int, filters: tuple[int, int], hidden: tuple[int, int]
) -> nn.Module:
    channels, height, width = shape
    pixels = halved_twice(height) * halved_twice(width)
    return nn.Sequential(
        *_convolution(channels, filters[0], padding=0),
        *_convolution(filters[0], filters[1], padding=0),
        nn.Flatten(),
        nn.Linear(filters[1] * pixels, hidden[0]),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(hidden[0], hidden[1]),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(hidden[1], num_classes),
    )


def _convolution(channels: int, filters: int, padding: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, filters, kernel_size=5, padding=padding),
        nn.MaxPool2d(2),
        nn.ReLU(),
    )
