"""In which order a strategy's rounds are begun and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build
from simulations.fl.backends.base import Batch
from simulations.fl.backends.inline import InlineBackend
from simulations.fl.config import SimulationConfig
from simulations.fl.play import Player, Round
from simulations.fl.progress import Progress
from simulations.fl.tasks import TrainClient

TRAINING = ("begin", "training")


class Diary(InlineBackend):
    """Notes what is begun and collected: training or evaluation, and of which round."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.notes: list[tuple[str, str, int]] = []

    def begin(self, tasks: Sequence[Any]) -> Batch:
        self._note("begin", tasks)
        return super().begin(tasks)

    def collect(self, batch: Batch) -> list[Any]:
        self._note("collect", batch.tasks)
        return super().collect(batch)

    def _note(self, what: str, tasks: Sequence[Any]) -> None:
        if not tasks:
            return
        (kind,) = {type(task) is TrainClient for task in tasks}
        self.notes.append((what, "training" if kind else "evaluation", tasks[0].round_number))


def played(config: SimulationConfig, digits: ImageData) -> tuple[Diary, list[Round]]:
    (strategy,) = config.strategies
    work = build.workload(strategy, digits, torch.device("cpu"))
    backend = Diary(work, strategy.num_of_clients)
    progress = Progress(work.model.vector.clone(), work.model.integers())
    player = Player(strategy, work, backend, build.strategy(strategy), progress)
    rounds = []
    while not progress.finished:
        found = player.play()
        assert found is not None
        rounds.append(found)
    return backend, rounds


def test_the_next_round_trains_while_the_last_is_evaluated(
    resolved: Callable[..., SimulationConfig], digits: ImageData
) -> None:
    backend, rounds = played(resolved(num_of_rounds=2), digits)
    assert backend.notes == [
        ("begin", "training", 1),
        ("collect", "training", 1),
        ("begin", "evaluation", 1),
        ("begin", "training", 2),
        ("collect", "evaluation", 1),
        ("collect", "training", 2),
        ("begin", "evaluation", 2),
        ("collect", "evaluation", 2),
    ]
    assert [one.number for one in rounds] == [1, 2]


def test_nothing_is_trained_for_a_round_that_is_not_played(
    resolved: Callable[..., SimulationConfig], digits: ImageData
) -> None:
    """Steps this long lead to NaN, which ends the strategy early."""
    config = resolved(num_of_rounds=50, optimizer="sgd", learning_rate=1000.0, momentum=0.9)
    backend, rounds = played(config, digits)
    assert 1 <= len(rounds) < 50
    begun = [number for what, kind, number in backend.notes if (what, kind) == TRAINING]
    assert begun == [one.number for one in rounds]


def test_rounds_together_take_the_time_of_all(
    resolved: Callable[..., SimulationConfig], digits: ImageData
) -> None:
    """What is done between rounds counts for the next, which trains meanwhile."""
    began = time.perf_counter()
    _, rounds = played(resolved(num_of_rounds=3), digits)
    total = time.perf_counter() - began
    assert 0.5 * total < sum(one.seconds for one in rounds) <= total
