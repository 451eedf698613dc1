"""A network with running statistics: what of them travels, and how it is aggregated."""

from __future__ import annotations

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
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.simulation import run

Resolved = Callable[..., SimulationConfig]
SIZES = {
    "num_of_clients": 2,
    "partitioning_strategy": "size",
    "partitioning_params": {"partition_sizes": [120, 60]},
    "num_of_rounds": 1,
    "optimizer": "sgd",
    "learning_rate": 0.05,
}


def network(*_: Any) -> nn.Module:
    with device.seeded(3, torch.device("cpu")):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)
        )


@pytest.fixture(autouse=True)
def _normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "network", network)


def trained(client: int, share: Any, x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    """Train a client's network by hand."""
    module = network().train()
    torch.manual_seed(torch_seed(5, Purpose.TRAINING_NOISE, client, 1))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    order = generator(5, Purpose.BATCHES, client, 1).permutation(len(share.training))
    for first in range(0, len(order), 16):
        batch = share.training[order[first : first + 16]]
        optimizer.zero_grad()
        functional.cross_entropy(module(x[batch]), y[batch]).backward()
        optimizer.step()
    return module


def played(config: SimulationConfig, data: ImageData, run_dir: Path) -> tuple[Any, RoundFinished]:
    events = list(run(config, lambda _: data, run_dir=run_dir, workers=1))
    (told,) = (event for event in events if isinstance(event, RoundFinished))
    return Checkpoints(run_dir, 0, config.strategies[0]).load(), told


def test_running_statistics_are_averaged_and_counters_are_the_first_client_s(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    config = resolved(**SIZES)
    saved, told = played(config, digits, tmp_path)
    pixels = digits.train_images / 255
    x = torch.tensor((pixels - pixels.mean()) / pixels.std(), dtype=torch.float32)
    shares = build.shares(config.strategies[0], digits)
    with device.one_thread():
        networks = [
            trained(client, share, x, torch.tensor(digits.train_labels))
            for client, share in enumerate(shares)
        ]
    states = [module.state_dict() for module in networks]
    assert [len(share.training) for share in shares] == [108, 54]
    expected = {
        name: (108 * states[0][name] + 54 * states[1][name]) / 162
        for name, tensor in states[0].items()
        if tensor.is_floating_point()
    }
    assert "1.running_mean" in expected and "1.running_var" in expected
    flat = torch.cat([tensor.reshape(-1) for tensor in expected.values()])
    torch.testing.assert_close(saved.vector, flat, rtol=1e-3, atol=1e-4)
    # 108 samples are 7 batches of 16, and 54 are 4.
    assert [int(state["1.num_batches_tracked"]) for state in states] == [7, 4]
    assert saved.integers.tolist() == [7]

    module = network()
    module.load_state_dict({**states[0], **expected})
    tests = torch.tensor((digits.test_images / 255 - pixels.mean()) / pixels.std()).float()
    with torch.no_grad():
        answers = module.eval()(tests)
    loss = functional.cross_entropy(answers, torch.tensor(digits.test_labels))
    assert told.global_loss == pytest.approx(float(loss), rel=1e-3)


def test_a_variance_that_an_attack_makes_negative_gives_a_round_without_a_loss(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    attack = {
        "attack_type": "gradient_scaling",
        "scale_factor": 1e4,
        "start_round": 1,
        "end_round": 1,
        "selection_strategy": "specific",
        "malicious_client_ids": [0],
    }
    saved, told = played(resolved(**SIZES, attack_schedule=[attack]), digits, tmp_path)
    variances = saved.vector[40 + 12 : 40 + 16]
    assert np.isfinite(saved.vector.numpy()).all() and variances.min() < 0
    assert told.global_loss is None


def test_a_robust_rule_keeps_variances_positive(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    attack = {
        "attack_type": "gradient_scaling",
        "scale_factor": 1e4,
        "start_round": 1,
        "end_round": 1,
        "selection_strategy": "specific",
        "malicious_client_ids": [0],
    }
    config = resolved(
        num_of_clients=5,
        num_of_rounds=1,
        aggregation_strategy_keyword="trimmed_mean",
        attack_schedule=[attack],
    )
    saved, told = played(config, digits, tmp_path)
    assert saved.vector[40 + 12 : 40 + 16].min() > 0
    assert told.global_loss is not None
