"""The data of one strategy, images or texts: as attacks see it and as the network does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from simulations.fl.attacks.base import Labels
from simulations.fl.partition import Indices


class Samples(Protocol):
    """Samples on the device that computes on them, given to the network batch by batch.

    A batch is what the network takes, and the class (k,) that each row (k, classes) of its answer
    ought to have: one row a sample or, for masked texts, one a masked token.
    """

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...

    def batch(self, chosen: Tensor | slice) -> tuple[Any, Tensor]:
        """Return the chosen samples and their classes."""

    def chunks(self, size: int) -> Iterator[tuple[Any, Tensor]]:
        """Give all samples in order, at most `size` at a time."""


class FederatedData(ABC):
    """What clients train on and are tested on; samples are named by their index.

    Whatever is drawn, such as the tokens that are masked, comes from the generator that is passed.
    """

    num_test: int

    @abstractmethod
    def training(self, chosen: Indices, rng: np.random.Generator) -> Samples:
        """Return training samples as the network sees them."""

    @abstractmethod
    def test(self, chosen: slice, rng: np.random.Generator) -> Samples:
        """Return samples of the test set as the network sees them."""

    @abstractmethod
    def plain_training(self, chosen: Indices) -> tuple[Any, Labels]:
        """Return training samples and labels as attacks see them.

        Images are float32 (m, channels, height, width) in [0, 1]; texts are a list of m strings.
        """

    @abstractmethod
    def plain_test(self) -> tuple[Any, Labels]:
        """Return the test set as attacks see it."""

    @abstractmethod
    def encode(self, samples: Any, labels: Labels, rng: np.random.Generator) -> Samples:
        """Return samples that an attack made as the network sees them."""

    @property
    def has_classes(self) -> bool:
        """Whether the network gives a sample one of the dataset's classes."""
        return True
