"""Everything one strategy's clients need to work; forked workers inherit it, nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datasets_app.catalog.image_data import ImageData
from simulations.fl.adversary import Adversary, Poisoned
from simulations.fl.backends.base import Exchange
from simulations.fl.client import EVALUATION_BATCH, LocalTraining, evaluate, predict
from simulations.fl.device import seeded
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.metrics import Sums
from simulations.fl.parameters import FlatModel
from simulations.fl.partition import Share
from simulations.fl.samples import Scaling, samples, unit_range
from simulations.fl.success import Goal
from simulations.fl.tasks import (
    EvaluateClient,
    EvaluateGlobal,
    Snapshot,
    Task,
    TrainClient,
    Trained,
)

if TYPE_CHECKING:
    from simulations.fl.witness import Witness

Arrays = tuple[NDArray[Any], NDArray[np.int64]]


@dataclass
class Workload:
    """The clients of one strategy: their data, the network and the attackers among them."""

    seed: int
    device: torch.device
    model: FlatModel
    training: LocalTraining
    data: ImageData
    scaling: Scaling
    shares: list[Share]
    adversary: Adversary
    goals: list[Goal]
    witness: Witness | None = None
    _loaded_round: int | None = None

    @property
    def num_parameters(self) -> int:
        return self.model.vector.numel()

    @property
    def num_integers(self) -> int:
        return self.model.integers().numel()

    def train_task(self, client: int, round_number: int, row: int) -> TrainClient:
        size = len(self.shares[client].training) * self.training.epochs
        return TrainClient(client, round_number, row, size)

    def client_task(self, client: int, round_number: int) -> EvaluateClient:
        return EvaluateClient(client, round_number, len(self.shares[client].validation))

    def global_tasks(self, goal: int | None, round_number: int) -> list[EvaluateGlobal]:
        """Return the chunks of the test set, or of a goal, in order."""
        count = len(self.data.test_labels if goal is None else self.goals[goal].labels)
        return [
            EvaluateGlobal(goal, round_number, first, min(EVALUATION_BATCH, count - first))
            for first in range(0, count, EVALUATION_BATCH)
        ]

    def perform(self, task: Task, exchange: Exchange) -> Trained | Sums:
        """Do `task` with the global model of the exchange."""
        if isinstance(task, TrainClient):
            return self._train(task, exchange)
        if self._loaded_round != task.round_number:
            self.model.load(exchange.vector, exchange.integers)
            self._loaded_round = task.round_number
        held_out = self._held_out(task)
        return evaluate(self.model.module, samples(*held_out, self.scaling, self.device))

    def _train(self, task: TrainClient, exchange: Exchange) -> Trained:
        began = time.perf_counter()
        self._loaded_round = None
        self.model.load(exchange.vector, exchange.integers)
        place = task.client, task.round_number
        honest = self._of_training_set(self.shares[task.client].training)
        stages = self._poisoned(honest, *place)
        used: Arrays = (stages[-1].images, stages[-1].labels) if stages else honest
        with seeded(torch_seed(self.seed, Purpose.TRAINING_NOISE, *place), self.device):
            order = generator(self.seed, Purpose.BATCHES, *place)
            own = samples(*used, self.scaling, self.device)
            loss = self.training.run(self.model.module, own, order)
        sent = self.adversary.forge(self.model.vector, exchange.vector, self.model.layout, *place)
        exchange.updates[task.row].copy_(sent)
        seconds = time.perf_counter() - began
        return Trained(
            loss=loss,
            seconds=seconds,
            is_finite=bool(torch.isfinite(sent).all()),
            integers=self.model.integers().numpy(),
            snapshots=tuple(self._snapshots(place, honest, stages, sent, exchange.vector)),
        )

    def _poisoned(self, honest: Arrays, client: int, round_number: int) -> list[Poisoned]:
        if not self.adversary.poisons(client, round_number):
            return []
        unit = unit_range(torch.tensor(honest[0])).numpy()
        return self.adversary.poison(unit, honest[1], client, round_number)

    def _snapshots(
        self,
        place: tuple[int, int],
        honest: Arrays,
        stages: list[Poisoned],
        sent: Tensor,
        start: Tensor,
    ) -> Iterator[Snapshot]:
        """Keep what attacks did to the client, where the configuration wants it."""
        if self.witness is None:
            return
        if stages:
            unit = unit_range(torch.tensor(honest[0])).numpy()
            yield self.witness.of_data(place, unit, honest[1], stages, self._predict)
        forgers = self.adversary.forgers(*place)
        if forgers:
            model = self.model
            yield self.witness.of_weights(place, forgers, model.vector, sent, start, model.layout)

    def _predict(self, images: NDArray[np.float32]) -> NDArray[np.int64]:
        unlabelled = np.zeros(len(images), dtype=np.int64)
        return predict(self.model.module, samples(images, unlabelled, self.scaling, self.device))

    def _held_out(self, task: EvaluateClient | EvaluateGlobal) -> Arrays:
        if isinstance(task, EvaluateClient):
            return self._of_training_set(self.shares[task.client].validation)
        chunk = slice(task.first, task.first + task.size)
        if task.goal is None:
            return self.data.test_images[chunk], self.data.test_labels[chunk]
        goal = self.goals[task.goal]
        return goal.images[chunk], goal.labels[chunk]

    def _of_training_set(self, chosen: NDArray[np.int64]) -> Arrays:
        return self.data.train_images[chosen], self.data.train_labels[chosen]
