"""Play a round: sample clients, train, aggregate, remove, evaluate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulations.fl import build, device
from simulations.fl.backends.base import Backend, Batch
from simulations.fl.config import StrategyConfig
from simulations.fl.config.participation import evaluate_clients, fit_clients
from simulations.fl.errors import AggregationError
from simulations.fl.generators import Purpose, generator
from simulations.fl.metrics import Sums, finite, total
from simulations.fl.progress import Progress
from simulations.fl.removal import Standing, is_removing, reason_to_end
from simulations.fl.strategies.base import Aggregation, Context, Strategy
from simulations.fl.strategies.distances import to_centroid
from simulations.fl.tasks import Task, Trained
from simulations.fl.workload import Workload


@dataclass(frozen=True)
class Reply:
    """What one client sent in a round, and what became of it."""

    client: int
    trained: Trained
    distance: float | None
    score: float | None
    participated: bool


@dataclass(frozen=True)
class Evaluation:
    """How good the new global model is: on validation shares, the test set, attackers' goals."""

    clients: dict[int, Sums] = field(default_factory=dict)
    test_set: Sums = field(default_factory=Sums)
    goals: list[Sums] = field(default_factory=list)


@dataclass(frozen=True)
class Round:
    """Everything that is known of a finished round; `standing` is the one it was played in."""

    number: int
    standing: Standing
    replies: list[Reply]
    evaluation: Evaluation
    threshold: float | None
    score_time_ns: int | None
    seconds: float


@dataclass
class Player:
    """A strategy in progress: plays one round after the other.

    Clients of the next round train while the round's model is evaluated and the round is told; that
    is safe, because whether there is a next round does not depend on an evaluation.
    """

    config: StrategyConfig
    work: Workload
    backend: Backend
    rule: Strategy
    progress: Progress
    _training: Batch | None = None
    _ended: float | None = None

    def __post_init__(self) -> None:
        exchange = self.backend.exchange
        exchange.vector.copy_(self.progress.vector)
        exchange.integers.copy_(self.progress.integers)
        self.progress.vector, self.progress.integers = exchange.vector, exchange.integers

    def play(self) -> Round | None:
        """Play the next round and move `progress` to its end.

        A round that the strategy cannot aggregate ends it instead; there is nothing to tell then.
        """
        began = self._ended or time.perf_counter()
        number, standing = self.progress.round_number + 1, self.progress.standing
        clients = fit_sample(self.config, number)
        trained = self.backend.collect(self._training or self._begin_training(number))
        try:
            verdict, score_time_ns = self._aggregate(clients, number)
        except AggregationError as error:
            self.progress.finished = True
            self.progress.reason = f"round {number} cannot be aggregated: {error}"
            return None
        self._advance(clients, trained, verdict, number)
        evaluating = self._begin_evaluation(number)
        replies = self._replies(clients, trained, verdict)
        self._training = None if self.progress.finished else self._begin_training(number + 1)
        evaluation = self._evaluation(number, evaluating)
        self._ended = time.perf_counter()
        return Round(
            number=number,
            standing=standing,
            replies=replies,
            evaluation=evaluation,
            threshold=None if verdict is None else verdict.threshold,
            score_time_ns=score_time_ns,
            seconds=self._ended - began,
        )

    def _begin_training(self, number: int) -> Batch:
        clients = fit_sample(self.config, number)
        return self.backend.begin(
            [self.work.train_task(client, number, row) for row, client in enumerate(clients)]
        )

    def _aggregate(
        self, clients: Sequence[int], number: int
    ) -> tuple[Aggregation | None, int | None]:
        """Ask the strategy, and time it; without a client to aggregate there is nothing to ask."""
        kept = [self.progress.standing.keeps(client) for client in clients]
        if not any(kept):
            return None, None
        updates = self.backend.exchange.updates[: len(clients)]
        context = self._context(clients, kept, number)
        device.synchronise(updates.device)
        began = time.perf_counter_ns()
        verdict = self.rule(updates, context, self.progress.strategy_state)
        device.synchronise(updates.device)
        return verdict, time.perf_counter_ns() - began

    def _context(self, clients: Sequence[int], kept: list[bool], number: int) -> Context:
        sizes = [float(len(self.work.shares[client].training)) for client in clients]
        return Context(
            round_number=number,
            client_ids=tuple(clients),
            weights=torch.tensor(sizes, dtype=torch.float64),
            start=self.backend.exchange.vector,
            kept=torch.tensor(kept),
            num_malicious=build.resolved(
                "num_of_malicious_clients", self.config.num_of_malicious_clients
            ),
            removing=is_removing(self.config, number),
            parameters=build.strategy_parameters(self.config),
        )

    def _advance(
        self,
        clients: Sequence[int],
        trained: Sequence[Trained],
        verdict: Aggregation | None,
        number: int,
    ) -> None:
        """Make the aggregate the global model, and decide whether there is another round."""
        progress = self.progress
        progress.round_number = number
        if verdict is not None:
            progress.vector.copy_(verdict.aggregate)
            progress.integers.copy_(torch.from_numpy(trained[0].integers))
            progress.strategy_state = verdict.state
        was = progress.standing
        progress.standing = was.after(verdict, is_removing(self.config, number))
        if number < self.config.num_of_rounds:
            progress.reason = self._divergence(clients, trained, was) or reason_to_end(
                self.config, progress.standing, number
            )
        progress.finished = number == self.config.num_of_rounds or progress.reason is not None

    def _divergence(
        self, clients: Sequence[int], trained: Sequence[Trained], standing: Standing
    ) -> str | None:
        """Return why the global model is beyond repair, or None when it is finite."""
        if _is_finite(self.progress.vector):
            return None
        culprits = [
            client
            for client, reply in zip(clients, trained, strict=True)
            if standing.keeps(client) and not reply.is_finite
        ]
        cause = f"client {culprits[0]} sent" if culprits else "averaging gave"
        return (
            f"the global model is not finite after round {self.progress.round_number}: {cause} "
            "NaN or infinity; use a rule that rejects such updates, or a smaller learning_rate"
        )

    def _replies(
        self, clients: Sequence[int], trained: Sequence[Trained], verdict: Aggregation | None
    ) -> list[Reply]:
        updates = self.backend.exchange.updates[: len(clients)]
        distances = [finite(distance) for distance in to_centroid(updates).tolist()]
        nothing = [None] * len(clients)
        scores = nothing if verdict is None else _scores(verdict, distances)
        included = nothing if verdict is None else verdict.included.tolist()
        return [
            Reply(client, reply, distance, score, bool(entered))
            for client, reply, distance, score, entered in zip(
                clients, trained, distances, scores, included, strict=True
            )
        ]

    def _begin_evaluation(self, number: int) -> Batch:
        """Begin to measure the new global model; there is nothing to when it is not finite."""
        if not _is_finite(self.progress.vector):
            return self.backend.begin([])
        groups = self._evaluation_groups(number)
        return self.backend.begin([task for group in groups for task in group])

    def _evaluation(self, number: int, begun: Batch) -> Evaluation:
        results = iter(self.backend.collect(begun))
        if not begun.tasks:
            return Evaluation()
        clients = evaluation_sample(self.config, number)
        sums = [total(next(results) for _ in group) for group in self._evaluation_groups(number)]
        return Evaluation(
            clients=dict(zip(clients, sums, strict=False)),
            test_set=sums[len(clients)],
            goals=sums[len(clients) + 1 :],
        )

    def _evaluation_groups(self, number: int) -> list[Sequence[Task]]:
        """Return the tasks of each client, of the test set and of each goal pursued by then."""
        active = [i for i, goal in enumerate(self.work.goals) if goal.first_round <= number]
        return [
            *(
                [self.work.client_task(client, number)]
                for client in evaluation_sample(self.config, number)
            ),
            *(self.work.global_tasks(goal, number) for goal in (None, *active)),
        ]


def fit_sample(config: StrategyConfig, round_number: int) -> list[int]:
    """Return the clients that train in the round, in ascending order."""
    return _sample(config, fit_clients(config), Purpose.CLIENT_SAMPLING, round_number)


def evaluation_sample(config: StrategyConfig, round_number: int) -> list[int]:
    """Return the clients that evaluate the round's model, in ascending order."""
    return _sample(config, evaluate_clients(config), Purpose.EVALUATION_SAMPLING, round_number)


def _sample(config: StrategyConfig, size: int, purpose: Purpose, round_number: int) -> list[int]:
    if config.strict_mode or size == config.num_of_clients:
        return list(range(config.num_of_clients))
    rng = generator(build.resolved("seed", config.seed), purpose, round_number)
    return sorted(rng.choice(config.num_of_clients, size=size, replace=False).tolist())


def _scores(verdict: Aggregation, distances: Sequence[float | None]) -> Sequence[float | None]:
    if verdict.scores is None:
        return distances
    return [finite(score) for score in verdict.scores.tolist()]


def _is_finite(vector: Tensor) -> bool:
    return bool(torch.isfinite(vector).all())
