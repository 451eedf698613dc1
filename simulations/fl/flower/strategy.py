"""Our rules as Strategies of Flower: `as_flower_strategy("krum", f=2)`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg
from torch import Tensor

from simulations.fl.aggregation import Rule, rule
from simulations.fl.errors import AggregationError
from simulations.fl.removal import Standing
from simulations.fl.strategies.base import Aggregation, Context, State

PARTICIPATION = frozenset(
    (
        "fraction_train",
        "fraction_evaluate",
        "min_train_nodes",
        "min_evaluate_nodes",
        "min_available_nodes",
        "weighted_by_key",
        "arrayrecord_key",
        "configrecord_key",
        "train_metrics_aggr_fn",
        "evaluate_metrics_aggr_fn",
    )
)
"""Parameters of Flower's FedAvg, which samples nodes and aggregates metrics here too."""


def as_flower_strategy(
    keyword: str, *, f: int = 0, begin_removing_from_round: int | None = None, **params: Any
) -> RuleStrategy:
    """Return the rule `keyword` as a Strategy for a ServerApp of Flower.

    `f` is how many nodes are malicious, `params` are the rule's settings by their names in a
    configuration, and those of Flower's FedAvg that say who takes part, such as `fraction_train`.
    From the round `begin_removing_from_round` on, nodes that the rule removes stay removed: they
    are sent messages, but their replies are scored only. Raises ConfigError.
    """
    taking_part = {name: value for name, value in params.items() if name in PARTICIPATION}
    settings = {name: value for name, value in params.items() if name not in PARTICIPATION}
    return RuleStrategy(rule(keyword, f=f, **settings), begin_removing_from_round, **taking_part)


class RuleStrategy(FedAvg):
    """Flower's FedAvg but for how updates are aggregated.

    A client is a node, by its id. `last` is the rule's answer of the last round, `standing` tells
    which nodes are removed.
    """

    def __init__(self, rule: Rule, begin_removing_from_round: int | None, **taking_part: Any):
        super().__init__(**taking_part)
        self.last: Aggregation | None = None
        self.standing = Standing()
        self._rule = rule
        self._begin = begin_removing_from_round
        self._state: State = {}
        self._start: ArrayRecord | None = None

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        self._start = arrays
        return super().configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Aggregate by the rule; raises AggregationError where it cannot."""
        valid, _ = self._check_and_log_replies(replies, is_train=True)
        if not valid or self._start is None:
            return None, None
        # In the order of their ids, on which no answer may depend.
        valid.sort(key=lambda reply: reply.metadata.src_node_id)
        answer = self._aggregate(server_round, valid, self._start)
        contents = [reply.content for reply in valid]
        measured = self.train_metrics_aggr_fn(contents, self.weighted_by_key)
        measured["clients-removed"] = len(self.standing.removed)
        return _record(answer.aggregate, self._start), measured

    def _aggregate(
        self, server_round: int, replies: list[Message], start: ArrayRecord
    ) -> Aggregation:
        nodes = tuple(reply.metadata.src_node_id for reply in replies)
        removing = self._begin is not None and server_round >= self._begin
        context = Context(
            round_number=server_round,
            client_ids=nodes,
            weights=torch.tensor([self._weight(reply) for reply in replies], dtype=torch.float64),
            start=_vector(start, start),
            kept=torch.tensor([self.standing.keeps(node) for node in nodes]),
            num_malicious=self._rule.f,
            removing=removing,
            parameters=self._rule.settings(len(nodes)),
        )
        updates = torch.stack([_vector(self._arrays(reply), start) for reply in replies])
        answer = self._rule.function(updates, context, self._state)
        self.last, self._state = answer, answer.state
        self.standing = self.standing.after(answer, removing)
        return answer

    def _weight(self, reply: Message) -> float:
        (metrics,) = reply.content.metric_records.values()
        weight = metrics[self.weighted_by_key]
        assert isinstance(weight, int | float)
        return float(weight)

    def _arrays(self, reply: Message) -> ArrayRecord:
        (arrays,) = reply.content.array_records.values()
        return arrays


def _vector(arrays: ArrayRecord, like: ArrayRecord) -> Tensor:
    """Return the floating arrays end to end, in the order that they have in `like`."""
    tensors = [torch.from_numpy(arrays[name].numpy().copy()) for name in like]
    parts = [tensor.float().reshape(-1) for tensor in tensors if tensor.is_floating_point()]
    if not parts:
        raise AggregationError("the model has no floating array to aggregate")
    return torch.cat(parts)


def _record(vector: Tensor, like: ArrayRecord) -> ArrayRecord:
    """Return `vector` cut into arrays as those of `like`; what is not floating stays as it is."""
    arrays, place = {}, 0
    for name, array in like.items():
        value = array.numpy()
        if torch.from_numpy(value.copy()).is_floating_point():
            part = vector[place : place + value.size].reshape(value.shape)
            arrays[name] = Array(part.numpy().astype(value.dtype))
            place += value.size
        else:
            arrays[name] = array
    return ArrayRecord(arrays)
