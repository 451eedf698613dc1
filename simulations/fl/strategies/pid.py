"""Removal by a PID score of each client's distance to the centroid, in four variants.

With d the distance in this round, S the sum of earlier ones and d' the last one, the score is
Kp·d in round 1 and Kp·d + I + Kd·(d − d') afterwards. Variants differ in I and in the threshold.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from simulations.fl.strategies.averages import weighted_mean
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.distances import to_centroid
from simulations.fl.strategies.removal import remove_above_threshold
from simulations.fl.strategies.screening import robust

Integral = Callable[[Tensor, Context], Tensor]
"""What Ki is multiplied with, given the sums S (n,) of earlier distances."""


@robust(remove_above_threshold)
def pid(updates: Tensor, context: Context, state: State) -> Aggregation:
    """I = Ki·S; the threshold is over the scores."""
    return _judge(updates, context, state, _plain, over_distances=False)


@robust(remove_above_threshold)
def pid_scaled(updates: Tensor, context: Context, state: State) -> Aggregation:
    """I = Ki·S / t, t the round; the threshold is over the distances."""
    return _judge(updates, context, state, _per_round, over_distances=True)


@robust(remove_above_threshold)
def pid_standardized(updates: Tensor, context: Context, state: State) -> Aggregation:
    """I = Ki·(S − mean S) / std S; the threshold is over the distances."""
    return _judge(updates, context, state, _standardized, over_distances=True)


@robust(remove_above_threshold)
def pid_standardized_score_based(updates: Tensor, context: Context, state: State) -> Aggregation:
    """I = Ki·(S − mean S) / std S; the threshold is over the scores."""
    return _judge(updates, context, state, _standardized, over_distances=False)


def _plain(sums: Tensor, context: Context) -> Tensor:
    return sums


def _per_round(sums: Tensor, context: Context) -> Tensor:
    return sums / context.round_number


def _standardized(sums: Tensor, context: Context) -> Tensor:
    std = sums.std(correction=0)
    return (sums - sums.mean()) / std if std > 0 else torch.zeros_like(sums)


def _judge(
    updates: Tensor, context: Context, state: State, integral: Integral, over_distances: bool
) -> Aggregation:
    distances = to_centroid(updates)
    scores = _scores(distances, context, state, integral)
    judged = (distances if over_distances else scores)[context.kept]
    spread = context.parameters["num_std_dev"] * judged.std(correction=0)
    return Aggregation(
        aggregate=weighted_mean(updates, context.weights * context.kept),
        scores=scores,
        included=context.kept.clone(),
        state=_remember(distances, context, state),
        threshold=float(judged.mean() + spread),
    )


def _scores(distances: Tensor, context: Context, state: State, integral: Integral) -> Tensor:
    gains = context.parameters
    proportional = distances * float(gains["Kp"])
    if context.round_number == 1:
        return proportional
    history = [_history(client, state) for client in context.client_ids]
    sums = torch.tensor([total for total, _ in history], dtype=torch.float64)
    last = torch.tensor(
        [
            distance if previous is None else previous
            for (_, previous), distance in zip(history, distances.tolist(), strict=True)
        ],
        dtype=torch.float64,
    )
    integrated = integral(sums, context) * float(gains["Ki"])
    return proportional + integrated + (distances - last) * float(gains["Kd"])


def _history(client: int, state: State) -> tuple[float, float | None]:
    """Return a client's sum of distances and its last one; None if it never replied before."""
    key = str(client)
    return state.get("sums", {}).get(key, 0.0), state.get("last", {}).get(key)


def _remember(distances: Tensor, context: Context, state: State) -> State:
    """Return the state after this round; clients that did not reply keep their history."""
    sums, last = dict(state.get("sums", {})), dict(state.get("last", {}))
    for client, distance in zip(context.client_ids, distances.tolist(), strict=True):
        key = str(client)
        sums[key] = sums.get(key, 0.0) + distance
        last[key] = distance
    return {"sums": sums, "last": last}
