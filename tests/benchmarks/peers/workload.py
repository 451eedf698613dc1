"""The work that peers are given: what a user of plain torch or Flower would write for it.

A network of convolutions 16 and 32 and fully connected layers 128 and 64, or logistic regression,
trained by Adam on mnist5k, which is divided evenly among the clients.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Workload:
    """How many clients there are, how many train in a round, and on what."""

    model: str
    clients: int
    sampled: int
    rounds: int
    batch_size: int
    data_dir: Path


@dataclass(frozen=True)
class Data:
    """Normalised images and their labels."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def asked() -> Workload:
    """Read the workload from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=("cnn", "logreg"), default="cnn")
    for name in ("clients", "sampled", "rounds", "batch-size"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    return Workload(**vars(parser.parse_args()))


def load(data_dir: Path) -> Data:
    from datasets_app.catalog import CATALOG
    from datasets_app.catalog.loading import load as load_dataset

    found: Any = load_dataset(CATALOG["mnist5k"], data_dir)
    scale = float(found.train_images.mean()), float(found.train_images.std())
    images = [
        torch.from_numpy((np.asarray(part, dtype=np.float32) - scale[0]) / scale[1])
        for part in (found.train_images, found.test_images)
    ]
    labels = [torch.tensor(part) for part in (found.train_labels, found.test_labels)]
    return Data(images[0], labels[0], images[1], labels[1])


def shares(data: Data, clients: int) -> list[Tensor]:
    order = torch.randperm(len(data.train_labels), generator=torch.Generator().manual_seed(1))
    return list(torch.tensor_split(order, clients))


def network(model: str) -> nn.Module:
    torch.manual_seed(1)
    if model == "logreg":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(64, 10),
    )


def train(module: nn.Module, data: Data, share: Tensor, batch_size: int) -> None:
    """Train one epoch with an optimiser of its own."""
    optimizer = torch.optim.Adam(module.parameters(), lr=0.001)
    module.train()
    for chosen in torch.split(share[torch.randperm(len(share))], batch_size):
        optimizer.zero_grad()
        loss = functional.cross_entropy(
            module(data.train_images[chosen]), data.train_labels[chosen]
        )
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(module: nn.Module, data: Data) -> float:
    module.eval()
    right = 0
    for first in range(0, len(data.test_labels), 256):
        answers = module(data.test_images[first : first + 256]).argmax(1)
        right += int((answers == data.test_labels[first : first + 256]).sum())
    return right / len(data.test_labels)


def tell(accuracy: float, rounds_s: float) -> None:
    """Print what was measured, as the last line."""
    json.dump({"accuracy": accuracy, "rounds_s": rounds_s}, sys.stdout)
    print(flush=True)
