from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl.backends import local
from simulations.fl.backends.base import Exchange, Staff
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import TrainingError
from simulations.fl.events import Event, RoundFinished, SnapshotSaved
from simulations.fl.metrics import Sums
from simulations.fl.simulation import run
from simulations.fl.tasks import EvaluateClient, EvaluateGlobal, Task

# A cluster on a busy machine takes its time to begin.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("ray"),
    # What Ray and Flower themselves warn of is not ours to mend.
    pytest.mark.filterwarnings("default"),
]
ATTACKS: list[dict[str, Any]] = [
    {
        "attack_type": attack,
        "start_round": 1,
        "end_round": 2,
        "selection_strategy": "specific",
        "malicious_client_ids": clients,
    }
    for attack, clients in (("label_flipping", [1]), ("byzantine_perturbation", [2]))
]


def measured(events: list[Event]) -> list[RoundFinished]:
    """Return the rounds, without what clocks said."""
    return [
        dataclasses.replace(
            event,
            clients=[dataclasses.replace(client, train_seconds=None) for client in event.clients],
            round_seconds=None,
            score_calculation_time_ns=None,
        )
        for event in events
        if isinstance(event, RoundFinished)
    ]


def test_flower_and_the_local_backend_measure_the_same_bits(
    resolved: Callable[..., SimulationConfig], digits: ImageData, tmp_path: Path
) -> None:
    strategies = [
        {"aggregation_strategy_keyword": "krum"},
        {"aggregation_strategy_keyword": "trust", "remove_clients": True},
    ]
    told = {}
    for engine in ("local", "ray"):
        config = resolved(
            *strategies,
            engine=engine,
            num_of_clients=7,
            num_of_malicious_clients=2,
            attack_schedule=ATTACKS,
            save_attack_snapshots=True,
        )
        folder = tmp_path / engine
        folder.mkdir()
        told[engine] = list(run(config, lambda _: digits, run_dir=folder, workers=2))
    assert measured(told["ray"]) == measured(told["local"])
    assert len(measured(told["ray"])) == 6
    kept = {
        engine: [event for event in events if isinstance(event, SnapshotSaved)]
        for engine, events in told.items()
    }
    assert kept["ray"] == kept["local"] != []
    assert all((tmp_path / "ray" / event.path).exists() for event in kept["ray"])


@dataclasses.dataclass(frozen=True)
class Counting:
    """Answers what it was asked for; client 1 fails, client 2 ends its process."""

    device = torch.device("cpu")
    num_parameters = 2
    num_integers = 0

    def perform(self, task: Task, exchange: Exchange) -> Sums:
        if isinstance(task, EvaluateGlobal):
            return Sums(float(os.getpid()), 0, task.size)
        client = task.client
        if client == 1:
            raise ValueError("no such image")
        if client == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return Sums(float(os.getpid()), client, int(exchange.vector.sum()))

    def train_together(self, tasks: Sequence[Task], exchange: Exchange) -> list[Sums]:
        raise NotImplementedError


def test_tasks_are_answered_in_order_and_failures_named() -> None:
    from simulations.fl.backends import flower

    with flower.start(Counting(), 3, Staff(2, 1, 0.0, Counting)) as backend:
        backend.exchange.vector.copy_(torch.tensor([3.0, 4.0]))
        clients = [EvaluateClient(client, 1, 1) for client in (3, 4, 5, 6, 7)]
        answers = backend.run([clients[0], EvaluateGlobal(None, 1, 0, 9), *clients[1:]])
        assert [answer.num_correct for answer in answers] == [3, 0, 4, 5, 6, 7]
        assert [answer.num_samples for answer in answers] == [7, 9, 7, 7, 7, 7]
        pids = [int(answer.loss_sum) for answer in answers]
        assert pids[1] == os.getpid()
        assert os.getpid() not in pids[:1] + pids[2:]

        words = "evaluating client 1 in round 4 failed: ValueError: no such image"
        with pytest.raises(TrainingError, match=words):
            backend.run([EvaluateClient(3, 4, 1), EvaluateClient(1, 4, 1)])
        assert backend.run([EvaluateClient(8, 5, 1)])[0].num_correct == 8, "it goes on"

        with pytest.raises(TrainingError, match="evaluating client 2 in round 6 failed"):
            backend.run([EvaluateClient(2, 6, 1)])
    left = [p for p in psutil.Process().children(recursive=True) if "ray" in p.name().lower()]
    assert left == []


def test_the_local_backend_takes_the_same_staff() -> None:
    with local.start(Counting(), 3, Staff(1, 1, 0.0, Counting)) as inline:
        assert inline.run([EvaluateClient(3, 1, 1)])[0].num_correct == 3


def test_nothing_is_reported_to_their_makers() -> None:
    code = """
import os
import simulations.fl.flower
from flwr.supercore import telemetry
assert telemetry.FLWR_TELEMETRY_ENABLED == "0"
assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
