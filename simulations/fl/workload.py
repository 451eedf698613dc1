"""Everything one strategy's clients need to work; forked workers inherit it, nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulations.fl.adversary import Adversary, Poisoned
from simulations.fl.backends.base import Exchange
from simulations.fl.client import EVALUATION_BATCH, LocalTraining, evaluate, predict
from simulations.fl.device import seeded
from simulations.fl.federated_data import FederatedData, Samples
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.metrics import Sums
from simulations.fl.parameters import FlatModel
from simulations.fl.partition import Share
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
    from simulations.fl.joint_training import JointTraining
    from simulations.fl.witness import Witness

Plain = tuple[Any, NDArray[np.int64]]
ON_SHARE, ON_TEST_SET, ON_GOAL = range(3)


@dataclass(frozen=True)
class Beginning:
    """What a client trains on, before attacks and after each, and the order of its batches."""

    honest: Plain | None
    stages: list[Poisoned]
    own: Samples
    order: np.random.Generator


@dataclass
class Workload:
    """The clients of one strategy: their data, the network and the attackers among them."""

    seed: int
    device: torch.device
    model: FlatModel
    training: LocalTraining
    data: FederatedData
    shares: list[Share]
    adversary: Adversary
    goals: list[Goal]
    witness: Witness | None = None
    joint: JointTraining | None = None
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
        count = self.data.num_test if goal is None else len(self.goals[goal].labels)
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
        return evaluate(self.model.module, self._held_out(task))

    def train_together(self, tasks: Sequence[TrainClient], exchange: Exchange) -> list[Trained]:
        """Do these tasks of one round at once, where `joint` says how; dropout depends on which."""
        assert self.joint is not None
        began = time.perf_counter()
        self._loaded_round = None
        beginnings = [self._begin(task) for task in tasks]
        noise = torch_seed(
            self.seed, Purpose.TRAINING_NOISE, tasks[0].client, tasks[0].round_number
        )
        with seeded(noise, self.device):
            vectors, losses = self.joint.run(
                exchange.vector,
                [beginning.own for beginning in beginnings],
                [beginning.order for beginning in beginnings],
            )
        seconds = (time.perf_counter() - began) / len(tasks)
        replies = []
        for task, beginning, vector, loss in zip(tasks, beginnings, vectors, losses, strict=True):
            self.model.load(vector, exchange.integers)
            replies.append(self._reply(task, beginning, exchange, loss, seconds))
        return replies

    def _train(self, task: TrainClient, exchange: Exchange) -> Trained:
        began = time.perf_counter()
        self._loaded_round = None
        self.model.load(exchange.vector, exchange.integers)
        noise = torch_seed(self.seed, Purpose.TRAINING_NOISE, task.client, task.round_number)
        beginning = self._begin(task)
        with seeded(noise, self.device):
            loss = self.training.run(beginning.own, beginning.order)
        return self._reply(task, beginning, exchange, loss, time.perf_counter() - began)

    def _begin(self, task: TrainClient) -> Beginning:
        place = task.client, task.round_number
        honest, stages = self._poisoned(*place)
        own = self._training_samples(stages, *place)
        return Beginning(honest, stages, own, generator(self.seed, Purpose.BATCHES, *place))

    def _reply(
        self,
        task: TrainClient,
        beginning: Beginning,
        exchange: Exchange,
        loss: float,
        seconds: float,
    ) -> Trained:
        """Write what the client sends, after it trained the model; return what comes with it."""
        place = task.client, task.round_number
        sent = self.adversary.forge(self.model.vector, exchange.vector, self.model.layout, *place)
        exchange.updates[task.row].copy_(sent)
        honest, stages = beginning.honest, beginning.stages
        return Trained(
            loss=loss,
            seconds=seconds,
            is_finite=bool(torch.isfinite(sent).all()),
            integers=self.model.integers().numpy(),
            snapshots=tuple(self._snapshots(place, honest, stages, sent, exchange.vector)),
        )

    def _poisoned(self, client: int, round_number: int) -> tuple[Plain | None, list[Poisoned]]:
        """Return a client's samples before data attacks, where it suffers any, and after each."""
        if not self.adversary.poisons(client, round_number):
            return None, []
        honest = self.data.plain_training(self.shares[client].training)
        return honest, self.adversary.poison(*honest, client, round_number)

    def _training_samples(self, stages: list[Poisoned], client: int, round_number: int) -> Samples:
        rng = generator(self.seed, Purpose.TRAINING_MASKS, client, round_number)
        if stages:
            return self.data.encode(stages[-1].samples, stages[-1].labels, rng)
        return self.data.training(self.shares[client].training, rng)

    def _snapshots(
        self,
        place: tuple[int, int],
        honest: Plain | None,
        stages: list[Poisoned],
        sent: Tensor,
        start: Tensor,
    ) -> Iterator[Snapshot]:
        """Keep what attacks did to the client, where the configuration wants it."""
        if self.witness is None:
            return
        if honest is not None:
            predict = self._predict if self.data.has_classes else None
            yield self.witness.of_data(place, *honest, stages, predict)
        forgers = self.adversary.forgers(*place)
        if forgers:
            model = self.model
            yield self.witness.of_weights(place, forgers, model.vector, sent, start, model.layout)

    def _predict(self, plain: Any) -> NDArray[np.int64]:
        unlabelled = np.zeros(len(plain), dtype=np.int64)
        return predict(self.model.module, self.data.encode(plain, unlabelled, self._masks()))

    def _held_out(self, task: EvaluateClient | EvaluateGlobal) -> Samples:
        if isinstance(task, EvaluateClient):
            masks = self._masks(ON_SHARE, task.client)
            return self.data.training(self.shares[task.client].validation, masks)
        chunk = slice(task.first, task.first + task.size)
        if task.goal is None:
            return self.data.test(chunk, self._masks(ON_TEST_SET, task.first))
        goal = self.goals[task.goal]
        masks = self._masks(ON_GOAL, task.goal, task.first)
        return self.data.encode(goal.samples[chunk], goal.labels[chunk], masks)

    def _masks(self, *of: int) -> np.random.Generator:
        """Return the generator of what is hidden in an evaluation: the same in every round."""
        return generator(self.seed, Purpose.EVALUATION_MASKS, *of)
