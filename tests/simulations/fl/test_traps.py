"""Traps that published implementations fell into, where it takes a run to see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build, device
from simulations.fl.checkpoint import Checkpoints
from simulations.fl.config import SimulationConfig
from simulations.fl.events import RoundFinished
from simulations.fl.generators import Purpose, generator
from simulations.fl.simulation import run

Resolved = Callable[..., SimulationConfig]


def test_momentum_is_not_dampened(
    resolved: Resolved, digits: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """v ← 0.9 v + g and w ← w − lr v, where dampening would make it v ← 0.9 v + 0.1 g."""

    def network(config: Any, given: Any = None) -> nn.Module:
        with device.seeded(config.seed, torch.device("cpu")):
            return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    monkeypatch.setattr(build, "network", network)
    config = resolved(
        num_of_clients=1, num_of_rounds=1, optimizer="sgd", momentum=0.9, learning_rate=0.05
    )
    list(run(config, lambda _: digits, workers=1, run_dir=tmp_path))

    model = network(config.strategies[0])
    order = generator(5, Purpose.VALIDATION_SPLIT, 0).permutation(240)
    pixels = digits.train_images / 255
    x = torch.tensor((pixels - pixels.mean()) / pixels.std(), dtype=torch.float32)
    y = torch.tensor(digits.train_labels)
    mine = np.sort(order[:216])
    shuffled = mine[generator(5, Purpose.BATCHES, 0, 1).permutation(216)]
    velocity = [torch.zeros_like(weight) for weight in model.parameters()]
    for first in range(0, 216, 16):
        batch = shuffled[first : first + 16]
        loss = functional.cross_entropy(model(x[batch]), y[batch])
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for weight, moving, gradient in zip(
                model.parameters(), velocity, gradients, strict=True
            ):
                moving.mul_(0.9).add_(gradient)
                weight.sub_(0.05 * moving)
    expected = torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])
    saved = Checkpoints(tmp_path, 0, config.strategies[0]).load()
    assert saved is not None
    torch.testing.assert_close(saved.vector, expected, rtol=1e-4, atol=1e-5)


def test_a_backdoor_is_measured_on_test_images_of_other_classes(
    resolved: Resolved, digits: ImageData
) -> None:
    """Seven of them here, so that the rate is a number of sevenths."""
    chosen = [
        *np.flatnonzero(digits.test_labels == 3),
        *np.flatnonzero(digits.test_labels != 3)[:7],
    ]
    data = dataclasses.replace(
        digits, test_images=digits.test_images[chosen], test_labels=digits.test_labels[chosen]
    )
    entry = {
        "attack_type": "backdoor_trigger",
        "target_class": 3,
        "trigger_size": 2,
        "poison_ratio": 0.3,
        "start_round": 1,
        "end_round": 3,
        "selection_strategy": "specific",
        "malicious_client_ids": [0],
    }
    config = resolved(num_of_clients=2, attack_schedule=[entry], num_of_client_epochs=2)
    told = run(config, lambda _: data, workers=1)
    rates = [event.attack_success_rate for event in told if isinstance(event, RoundFinished)]
    reached = [7 * rate for rate in rates if rate is not None]
    assert len(reached) == 3 and any(0 < count < 7 for count in reached)
    assert reached == pytest.approx(np.round(reached))
