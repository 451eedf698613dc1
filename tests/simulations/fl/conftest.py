"""Data that a small network learns in a few steps, and configurations that use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_app.catalog import storage
from datasets_app.catalog.image_data import ImageData
from simulations.fl.config import SimulationConfig, parse, resolve

CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "digits",
    "num_of_rounds": 3,
    "num_of_clients": 4,
    "batch_size": 16,
    "training_device": "cpu",
    "seed": 5,
}
NUM_CLASSES = 10


def _images(count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    labels = np.arange(count, dtype=np.int64) % NUM_CLASSES
    rng.shuffle(labels)
    images = rng.integers(0, 90, (count, 1, 8, 8), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, half = divmod(int(label), 2)
        image[0, row, half * 4 : half * 4 + 4] = 255
    return images, labels


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """Return separable images in the shape of the catalogue's digits."""
    rng = np.random.default_rng(3)
    return ImageData(*_images(240, rng), *_images(100, rng))


@pytest.fixture
def resolved() -> Callable[..., SimulationConfig]:
    """Return a factory of resolved configurations: changes to CONFIG, and several strategies."""

    def build(*strategies: dict[str, Any], **changes: Any) -> SimulationConfig:
        shared = {**CONFIG, **changes}
        entries = list(strategies) or [{}]
        raw = {"shared_settings": shared, "simulation_strategies": entries}
        return resolve(parse(raw), drawn_seed=0)

    return build


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory, digits: ImageData) -> Path:
    """Return a data folder in which the digits are stored."""
    folder = tmp_path_factory.mktemp("data")
    with storage.sole_writer(folder / "digits") as scratch:
        storage.write(folder / "digits", scratch, digits)
    return folder
