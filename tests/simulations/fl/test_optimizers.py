from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from simulations.fl.config import StrategyConfig
from simulations.fl.optimizers import optimizer
from simulations.fl.parameters import FlatModel

SETTINGS: list[dict[str, Any]] = [
    {"optimizer": "adam", "learning_rate": 0.01},
    {"optimizer": "adam", "learning_rate": 0.01, "weight_decay": 0.1},
    {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1},
]
CLASSES = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def config(settings: dict[str, Any]) -> StrategyConfig:
    return StrategyConfig(aggregation_strategy_keyword="fedavg", num_of_rounds=1, **settings)


def network() -> nn.Module:
    """A network whose vector has buffers between its parameters, and one that is frozen.

    Before a normalisation there is no bias: its gradient is noise, which Adam makes steps of.
    """
    torch.manual_seed(2)
    module = nn.Sequential(
        nn.Linear(5, 7, bias=False), nn.BatchNorm1d(7), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3)
    )
    for parameter in module[2].parameters():
        parameter.requires_grad_(False)
    return module


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    torch.manual_seed(3)
    return [(torch.randn(11, 5), torch.randint(0, 3, (11,))) for _ in range(count)]


@pytest.mark.parametrize("given", SETTINGS)
def test_steps_are_those_of_torch_optim(given: dict[str, Any]) -> None:
    model, plain = FlatModel(network()), network()
    ours = optimizer(config(given), model.trained, model.gradients)
    named = {
        name.replace("learning_rate", "lr"): value
        for name, value in given.items()
        if name != "optimizer"
    }
    for client in range(2):
        ours.reset()
        trainable = [one for one in plain.parameters() if one.requires_grad]
        theirs = CLASSES[given["optimizer"]](trainable, **named)
        for inputs, classes in batches(4 + client):
            model.clear_gradients()
            nn.functional.cross_entropy(model.module(inputs), classes).backward()
            ours.step()
            theirs.zero_grad()
            nn.functional.cross_entropy(plain(inputs), classes).backward()
            theirs.step()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(model.module.state_dict()[name], tensor, rtol=1e-5, atol=1e-6)


def test_runs_of_the_vector_are_trained_and_buffers_are_not() -> None:
    model = FlatModel(network())
    # Linear 5 x 7 and the scale and shift of 7; then two buffers; then linear 7 x 3 + 3.
    assert [len(run) for run in model.trained] == [35 + 14, 24]
    assert [len(run) for run in model.gradients] == [35 + 14, 24]
    for run in model.trained:
        run.fill_(0.5)
    assert isinstance(model.module, nn.Sequential)
    first, norm, _, _, last = model.module
    assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    assert isinstance(norm, nn.BatchNorm1d) and norm.running_var is not None
    assert last.weight.eq(0.5).all()
    assert not norm.running_var.eq(0.5).any()
    model.module(torch.randn(4, 5)).sum().backward()
    assert sum(run.abs().sum() for run in model.gradients) > 0
    model.clear_gradients()
    assert first.weight.grad is not None and first.weight.grad.eq(0).all()


def test_training_imports_no_compiler() -> None:
    code = """
import sys, torch
from torch import nn
from simulations.fl.config import StrategyConfig
from simulations.fl.optimizers import optimizer
from simulations.fl.parameters import FlatModel
model = FlatModel(nn.Linear(3, 2))
for kind in ("adam", "adamw", "sgd"):
    config = StrategyConfig(aggregation_strategy_keyword="fedavg", num_of_rounds=1, optimizer=kind)
    chosen = optimizer(config, model.trained, model.gradients)
    chosen.reset()
    model.clear_gradients()
    nn.functional.cross_entropy(model.module(torch.ones(4, 3)), torch.ones(4).long()).backward()
    chosen.step()
assert "torch._dynamo" not in sys.modules, "two seconds of each run"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
