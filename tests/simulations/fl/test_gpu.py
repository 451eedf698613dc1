"""The engine and the rules on a GPU, held to what they compute on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build
from simulations.fl.aggregation import aggregate
from simulations.fl.backends.joint import JointBackend
from simulations.fl.config import SimulationConfig
from simulations.fl.events import RoundFinished
from simulations.fl.simulation import run
from simulations.fl.strategies import STRATEGIES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
Resolved = Callable[..., SimulationConfig]


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_rule_gives_there_what_it_gives_here(keyword: str, dtype: type) -> None:
    rows = torch.from_numpy(np.random.default_rng(3).normal(size=(11, 40_000)).astype(dtype))
    rows[:2] += 3
    here, there = (aggregate(keyword, one, f=2) for one in (rows, rows.cuda()))
    assert there.is_cuda and there.dtype == here.dtype
    torch.testing.assert_close(there.cpu(), here, rtol=1e-5, atol=1e-6)


def last_round(config: SimulationConfig, digits: ImageData) -> RoundFinished:
    told = run(config, lambda _: digits)
    return [event for event in told if isinstance(event, RoundFinished)][-1]


@pytest.mark.parametrize("keyword", ["fedavg", "krum", "trust", "bulyan"])
def test_a_run_learns_there_as_it_does_here(
    resolved: Resolved, digits: ImageData, keyword: str
) -> None:
    settings: dict[str, Any] = {
        "aggregation_strategy_keyword": keyword,
        "model_keyword": "mlp",
        "num_of_clients": 7,
        "num_of_malicious_clients": 1,
    }
    here, there = (
        last_round(resolved(**settings, training_device=device), digits)
        for device in ("cpu", "gpu")
    )
    assert there.global_accuracy == pytest.approx(here.global_accuracy, abs=0.05)
    assert there.global_loss == pytest.approx(here.global_loss, rel=0.05)


@pytest.mark.parametrize("model", ["mlp", "cnn_wide", "resnet_gn"])
def test_clients_that_share_it_learn_as_they_do_alone(
    resolved: Resolved, digits: ImageData, model: str
) -> None:
    settings = {"model_keyword": model, "num_of_clients": 7, "training_device": "gpu"}
    alone = last_round(resolved(**settings), digits)
    shared = resolved(**settings, gpus_per_client=0.25)
    joint = last_round(shared, digits)
    assert joint.global_accuracy == pytest.approx(alone.global_accuracy, abs=0.1)
    assert last_round(shared, digits).global_loss == joint.global_loss, "it can be repeated"


def test_a_share_of_it_makes_groups(resolved: Resolved, digits: ImageData) -> None:
    (config,) = resolved(training_device="gpu", gpus_per_client=0.5).strategies
    work = build.workload(config, digits, torch.device("cuda", 0))
    with build.backend(config, work, 1, lambda: work) as backend:
        assert isinstance(backend, JointBackend)
