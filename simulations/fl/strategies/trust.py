"""Removal by trust, which grows and falls with a reputation for being near the centroid."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from simulations.fl.strategies.averages import weighted_mean
from simulations.fl.strategies.base import Aggregation, Context, State, scores_of
from simulations.fl.strategies.distances import to_centroid
from simulations.fl.strategies.screening import ids_where, robust


def _remove_untrusted(answer: Aggregation, context: Context) -> Aggregation:
    """Remove the least trusted in the first round that removes, all below the threshold later."""
    if answer.state["removing_since"] == context.round_number:
        trust = scores_of(answer).masked_fill(~context.kept, math.inf)
        return replace(answer, removed=(context.client_ids[int(trust.argmin())],))
    below = (scores_of(answer) < context.parameters["trust_threshold"]) & context.kept
    return replace(answer, removed=ids_where(below, context))


@robust(_remove_untrusted, worst=-math.inf)
def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
    """Average the clients not removed, weighted by training examples, and judge all by trust."""
    value = _nearness(to_centroid(updates))
    beta = context.parameters["beta_value"]
    reputation = torch.tensor(
        [
            _reputation(_known(state, "reputation", client), v, context.round_number, beta)
            for client, v in zip(context.client_ids, value.tolist(), strict=True)
        ],
        dtype=torch.float64,
    )
    earlier = torch.tensor(
        [_known(state, "trust", client) or 0.0 for client in context.client_ids],
        dtype=torch.float64,
    )
    trust = _trust(earlier, reputation, value, beta)
    return Aggregation(
        aggregate=weighted_mean(updates, context.weights * context.kept),
        scores=trust,
        included=context.kept.clone(),
        state=_remember(reputation, trust, context, state),
        threshold=context.parameters["trust_threshold"],
    )


def _nearness(distances: Tensor) -> Tensor:
    """Return 1 for the nearest and 0 for the farthest; 1 for all when all are equally far."""
    span = distances.max() - distances.min()
    scaled = (distances - distances.min()) / span if span > 0 else torch.zeros_like(distances)
    return 1 - scaled


def _reputation(earlier: float | None, value: float, round_number: int, beta: float) -> float:
    if earlier is None or round_number == 1:
        return value
    if value >= 0.5:
        change = -earlier / round_number
    else:
        change = -math.exp(-(1 - value * earlier / round_number))
    smoothed = beta * (earlier + value + change) + (1 - beta) * earlier
    return min(1.0, max(0.0, smoothed))


def _trust(earlier: Tensor, reputation: Tensor, value: Tensor, beta: float) -> Tensor:
    to_best = torch.hypot(reputation, value)
    to_worst = torch.hypot(1 - reputation, 1 - value)
    return (beta * (to_best - to_worst) + (1 - beta) * earlier).clamp(0, 1)


def _known(state: State, what: str, client: int) -> float | None:
    number: float | None = state.get(what, {}).get(str(client))
    return number


def _remember(reputation: Tensor, trust: Tensor, context: Context, state: State) -> State:
    """Return the state after this round; clients that did not reply keep what they had."""
    keys = [str(client) for client in context.client_ids]
    since = state.get("removing_since")
    return {
        "reputation": state.get("reputation", {})
        | dict(zip(keys, reputation.tolist(), strict=True)),
        "trust": state.get("trust", {}) | dict(zip(keys, trust.tolist(), strict=True)),
        "removing_since": context.round_number if context.removing and since is None else since,
    }
