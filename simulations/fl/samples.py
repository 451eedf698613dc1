"""Images as the network sees them: bytes until the batch, then floats of mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEVELS = 256
COUNTED_AT_ONCE = 100


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of each channel, of pixels between 0 and 1; (1, channels, 1, 1) both."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class Samples:
    """Images (m, channels, height, width), bytes or floats between 0 and 1, and labels (m,)."""

    images: Tensor
    labels: Tensor
    scaling: Scaling

    @property
    def device(self) -> torch.device:
        return self.labels.device

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, chosen: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return the chosen images, scaled, and their labels."""
        pixels = self.images[chosen]
        if pixels.dtype == torch.uint8:
            pixels = unit_range(pixels)
        scaled = (pixels - self.scaling.mean) / self.scaling.deviation
        return channels_last(scaled), self.labels[chosen]

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give all samples in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.batch(slice(first, first + size))


def samples(
    images: NDArray[Any], labels: NDArray[np.int64], scaling: Scaling, device: torch.device
) -> Samples:
    """Copy arrays to the device that computes on them."""
    return Samples(
        images=torch.tensor(images, device=device),
        labels=torch.tensor(labels, device=device),
        scaling=scaling,
    )


def unit_range(pixels: Tensor) -> Tensor:
    """Return bytes as float32 between 0 and 1."""
    return pixels.float().div_(LEVELS - 1)


def channels_last(images: Tensor) -> Tensor:
    """Lay the channels of a pixel side by side, as convolutions on a CPU are fastest.

    The strides are set by hand because torch leaves them as they are for a single channel.
    """
    _, channels, height, width = images.shape
    strides = (channels * height * width, 1, width * channels, channels)
    dense = images.contiguous(memory_format=torch.channels_last)
    return dense.as_strided(images.shape, strides)


def scaling_of(images: NDArray[np.uint8], device: torch.device) -> Scaling:
    """Measure the training images, channel by channel; a constant channel keeps its deviation."""
    levels = np.arange(LEVELS) / (LEVELS - 1)
    means, deviations = [], []
    for channel in range(images.shape[1]):
        counts = _counts(images[:, channel])
        mean = float(counts @ levels / counts.sum())
        deviation = float(np.sqrt(counts @ (levels - mean) ** 2 / counts.sum()))
        means.append(mean)
        deviations.append(deviation or 1.0)
    return Scaling(_by_channel(means, device), _by_channel(deviations, device))


def _counts(channel: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels of each level, some images at a time: numpy makes eight bytes of each."""
    counts = np.zeros(LEVELS, dtype=np.int64)
    for first in range(0, len(channel), COUNTED_AT_ONCE):
        pixels = channel[first : first + COUNTED_AT_ONCE].reshape(-1)
        counts += np.bincount(pixels, minlength=LEVELS)
    return counts


def _by_channel(values: list[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).view(1, -1, 1, 1)
