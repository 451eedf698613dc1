"""Clients trained together compute what each computes alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build
from simulations.fl.backends.base import Staff
from simulations.fl.backends.inline import InlineBackend
from simulations.fl.backends.joint import JointBackend
from simulations.fl.backends.local import start
from simulations.fl.client import local_training
from simulations.fl.config import SimulationConfig, StrategyConfig
from simulations.fl.device import clients_at_once
from simulations.fl.errors import TrainingError
from simulations.fl.joint_training import JointTraining
from simulations.fl.networks import cnn, logreg, mlp, resnet_gn
from simulations.fl.optimizers import optimizer
from simulations.fl.parameters import FlatModel
from simulations.fl.samples import Samples, samples, scaling_of
from simulations.fl.workload import Workload

CPU = torch.device("cpu")
SHAPE, NUM_CLASSES = (1, 16, 16), 4
SIZES = (7, 23, 8, 1, 16)
"""With batches of 8: full and partial last batches, one sample, and clients that end early."""


def of_clients(device: torch.device = CPU) -> list[Samples]:
    rng = np.random.default_rng(4)
    given = []
    for client, size in enumerate(SIZES):
        images = rng.integers(0, 256, (size, *SHAPE), dtype=np.uint8)
        # An attacked client's images are floats between 0 and 1.
        pixels: Any = images if client != 2 else (images / 255).astype(np.float32)
        labels = rng.integers(0, NUM_CLASSES, size)
        given.append(samples(pixels, labels, scaling_of(images, device), device))
    return given


def network(of: Any) -> nn.Module:
    torch.manual_seed(1)
    module: nn.Module = of(SHAPE, NUM_CLASSES)
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return module


def rngs() -> list[np.random.Generator]:
    return [np.random.default_rng(client) for client in range(len(SIZES))]


def config(**settings: Any) -> StrategyConfig:
    return StrategyConfig(
        aggregation_strategy_keyword="fedavg", num_of_rounds=1, batch_size=8, **settings
    )


def together(config: StrategyConfig, model: FlatModel) -> JointTraining:
    return JointTraining(
        model, config.num_of_client_epochs, config.batch_size, partial(optimizer, config)
    )


SETTINGS: list[dict[str, Any]] = [
    {"learning_rate": 0.01},
    {"learning_rate": 0.01, "num_of_client_epochs": 3, "weight_decay": 0.1, "optimizer": "adamw"},
    {"learning_rate": 0.1, "num_of_client_epochs": 2, "optimizer": "sgd"},
    {"learning_rate": 0.1, "num_of_client_epochs": 2, "optimizer": "sgd", "momentum": 0.9},
]


@pytest.mark.parametrize("given", SETTINGS)
@pytest.mark.parametrize("of", [logreg.build, mlp.build, cnn.build_small, resnet_gn.build])
def test_each_client_ends_where_it_ends_alone(of: Any, given: dict[str, Any]) -> None:
    model = FlatModel(network(of))
    start = model.vector.clone()
    vectors, losses = together(config(**given), model).run(start, of_clients(), rngs())
    assert torch.equal(model.vector, start), "the model itself is not trained"

    alone = local_training(config(**given), model)
    for client, (own, rng) in enumerate(zip(of_clients(), rngs(), strict=True)):
        model.vector.copy_(start)
        loss = alone.run(own, rng)
        # Not each number: where a gradient is nearly 0, Adam makes a step of how it was rounded.
        moved = (model.vector - start).norm()
        assert (vectors[client] - model.vector).norm() < 5e-3 * moved
        assert losses[client] == pytest.approx(loss, rel=1e-3)


@pytest.fixture
def work(resolved: Callable[..., SimulationConfig], digits: ImageData) -> Workload:
    """Seven clients, one of whom flips labels and one of whom lies about what it learnt."""
    attacks = [
        {
            "attack_type": attack,
            "start_round": 1,
            "end_round": 2,
            "selection_strategy": "specific",
            "malicious_client_ids": [client],
        }
        for attack, client in (("label_flipping", 1), ("byzantine_perturbation", 2))
    ]
    given = resolved(model_keyword="mlp", num_of_clients=7, attack_schedule=attacks)
    (strategy,) = given.strategies
    found = build.workload(strategy, digits, CPU)
    assert found.joint is None, "on a CPU clients have workers of their own"
    found.joint = together(strategy, found.model)
    return found


@pytest.mark.parametrize("at_once", [2, 7, 50])
def test_a_round_of_groups_is_the_round_of_each_alone(work: Workload, at_once: int) -> None:
    backends = InlineBackend(work, 7), start(work, 7, Staff(1, 1, 0.0, lambda: work, at_once))
    assert isinstance(backends[1], JointBackend)
    initial, replies, scores = work.model.vector.clone(), [], []
    for backend in backends:
        backend.exchange.vector.copy_(initial)
        training = [work.train_task(client, 1, row) for row, client in enumerate(range(7))]
        replies.append(backend.run(training))
        backend.exchange.vector.copy_(backend.exchange.updates.mean(0))
        scores.append(backend.run([work.client_task(3, 1), *work.global_tasks(None, 1)]))
    alone, joint = (backend.exchange.updates for backend in backends)
    for row in range(7):
        assert (alone[row] - joint[row]).norm() < 5e-3 * (alone[row] - initial).norm()
    assert (alone[2] - alone[3]).norm() > 10 * (alone[4] - alone[3]).norm(), "it lied"
    for one, other in zip(*replies, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-3)
        assert other.is_finite and other.seconds > 0
    for one, other in zip(*scores, strict=True):
        assert other.num_samples == one.num_samples
        assert other.loss_sum == pytest.approx(one.loss_sum, rel=1e-2)


def test_what_fails_is_named(work: Workload) -> None:
    backend = JointBackend(work, 7, 3)
    work.joint = together(config(), FlatModel(nn.Linear(2, 2)))
    words = "training client 0 in round 1, together with 2 others, failed: "
    with pytest.raises(TrainingError, match=words):
        backend.run([work.train_task(client, 1, client) for client in range(7)])


@pytest.mark.parametrize(
    ("share", "count"), [(0.0, 1), (1.0, 1), (0.6, 1), (0.5, 2), (0.3, 3), (1 / 49, 49), (0.05, 20)]
)
def test_the_share_of_a_gpu_says_how_many(share: float, count: int) -> None:
    assert clients_at_once(config(gpus_per_client=share)) == count
