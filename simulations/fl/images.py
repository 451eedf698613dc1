"""Image datasets as clients use them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl.attacks.base import Images, Labels
from simulations.fl.federated_data import FederatedData
from simulations.fl.partition import Indices
from simulations.fl.samples import Samples, samples, scaling_of, unit_range


class FederatedImages(FederatedData):
    """Images, bytes until the batch; nothing is drawn for them."""

    def __init__(self, data: ImageData, device: torch.device) -> None:
        self._data = data
        self._device = device
        self._scaling = scaling_of(data.train_images, device)
        self.num_test = len(data.test_labels)

    def training(self, chosen: Indices, rng: np.random.Generator) -> Samples:
        return self.encode(self._data.train_images[chosen], self._data.train_labels[chosen], rng)

    def test(self, chosen: slice, rng: np.random.Generator) -> Samples:
        return self.encode(self._data.test_images[chosen], self._data.test_labels[chosen], rng)

    def plain_training(self, chosen: Indices) -> tuple[Images, Labels]:
        return _unit(self._data.train_images[chosen]), self._data.train_labels[chosen]

    def plain_test(self) -> tuple[Images, Labels]:
        return _unit(self._data.test_images), self._data.test_labels

    def encode(self, images: Any, labels: Labels, rng: np.random.Generator) -> Samples:
        return samples(images, labels, self._scaling, self._device)


def _unit(images: Any) -> Images:
    pixels: Images = unit_range(torch.tensor(images)).numpy()
    return pixels
