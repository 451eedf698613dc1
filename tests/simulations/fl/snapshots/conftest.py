from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from simulations.fl.attacks.base import Layout
from simulations.fl.snapshots.data import save_data_snapshot
from simulations.fl.snapshots.records import Request, strategy_folder
from simulations.fl.snapshots.samples import Stage
from simulations.fl.snapshots.weights import save_weight_snapshot


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def request_for(run_dir: Path) -> Callable[..., Request]:
    def make(
        client: int = 1,
        turn: int = 2,
        form: Any = "pickle_and_visual",
        most: int = 5,
        strategy: int = 0,
    ) -> Request:
        return Request(strategy_folder(run_dir, strategy), client, turn, form, most)

    return make


def made_images() -> np.ndarray:
    return np.random.default_rng(0).random((30, 1, 14, 12), dtype=np.float32)


def made_labels() -> np.ndarray:
    return np.arange(30, dtype=np.int64) % 5


def made_flipped() -> Stage:
    return Stage("label_flipping", {}, made_images(), (made_labels() + 1) % 5)


def made_stamped() -> Stage:
    """Every third image has a white 3x3 patch at the bottom right and becomes class 4."""
    samples, labels = made_images(), made_labels()
    samples[::3, :, 11:14, 9:12] = 1
    labels[::3] = 4
    return Stage("backdoor_trigger", {"target_class": 4}, samples, labels)


@pytest.fixture
def images() -> np.ndarray:
    return made_images()


@pytest.fixture
def labels() -> np.ndarray:
    return made_labels()


@pytest.fixture
def flipped() -> Stage:
    return made_flipped()


@pytest.fixture
def stamped() -> Stage:
    return made_stamped()


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Strategy 0: two attacked clients in rounds 2 and 10; strategy 11: a text attack."""
    run_dir = tmp_path_factory.mktemp("snapshots")
    images, labels, stamped, flipped = made_images(), made_labels(), made_stamped(), made_flipped()

    def request(client: int, turn: int, strategy: int = 0) -> Request:
        folder = strategy_folder(run_dir, strategy)
        return Request(folder, client, turn, "pickle_and_visual", 2)

    save_data_snapshot(request(10, 10), images, labels, [flipped])
    save_data_snapshot(request(2, 10), images, labels, [stamped])
    save_data_snapshot(request(2, 2), images, labels, [flipped, stamped])
    vector = torch.linspace(-1, 1, 20)
    save_weight_snapshot(
        request(2, 2),
        [("gradient_scaling", {"scale_factor": 2.0})],
        vector,
        2 * vector,
        torch.zeros(20),
        Layout((("w", 0, 20),)),
    )
    texts = Stage("token_replacement", {}, ["a cough"], labels[:1])
    save_data_snapshot(request(0, 1, strategy=11), ["a fever"], labels[:1], [texts])
    return run_dir


@pytest.fixture
def filled(finished_run: Path, run_dir: Path) -> None:
    """Give the test its own copy of the finished run."""
    shutil.copytree(finished_run, run_dir)
