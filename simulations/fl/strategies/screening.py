"""What every robust rule does about replies that are not finite, and about removal.

A reply with NaN or infinity in it is hidden from the rule, scores worst, enters no aggregate and is
reported as rejected; the rule is told of one malicious client less for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

import torch
from torch import Tensor

from simulations.fl.errors import AggregationError
from simulations.fl.strategies.base import Aggregation, Context, State, Strategy
from simulations.fl.strategies.distances import finite_rows

Removal = Callable[[Aggregation, Context], Aggregation]
"""Adds to a rule's answer whom to remove or suspend; asked only in rounds that remove."""


def robust(
    removal: Removal | None = None, worst: float = math.inf
) -> Callable[[Strategy], Strategy]:
    """Make a rule that is never shown a reply that is not finite; such a reply scores `worst`."""

    def decorate(rule: Strategy) -> Strategy:
        @wraps(rule)
        def aggregate(updates: Tensor, context: Context, state: State) -> Aggregation:
            finite = finite_rows(updates)
            require_candidates(finite & context.kept, context)
            if finite.all():
                answer = rule(updates, context, state)
            else:
                answer = _among_finite(rule, updates, context, state, finite, worst)
            return removal(answer, context) if removal and context.removing else answer

        return aggregate

    return decorate


def require_candidates(candidates: Tensor, context: Context) -> None:
    """Refuse a round in which nobody may enter the aggregate; `candidates` is a mask (n,)."""
    if candidates.any():
        return
    n, kept = len(candidates), int(context.kept.sum())
    where = f"round {context.round_number}: nothing to aggregate"
    if kept:
        raise AggregationError(
            f"{where}: none of the {kept} updates that may be used is finite (no NaN, no "
            "infinity); training has diverged, try a lower learning_rate"
        )
    raise AggregationError(f"{where}: all of the {n} clients are removed or suspended")


def _among_finite(
    rule: Strategy,
    updates: Tensor,
    context: Context,
    state: State,
    finite: Tensor,
    worst: float,
) -> Aggregation:
    rejected = ids_where(~finite, context)
    shown = replace(
        context,
        client_ids=ids_where(finite, context),
        weights=context.weights[finite],
        kept=context.kept[finite],
        num_malicious=max(0, context.num_malicious - len(rejected)),
    )
    answer = rule(updates[finite.to(updates.device)], shown, state)
    included = torch.zeros(len(finite), dtype=torch.bool)
    included[finite] = answer.included
    answer = replace(answer, included=included, rejected=rejected)
    if answer.scores is None:
        return answer
    scores = torch.full((len(finite),), worst, dtype=torch.float64)
    scores[finite] = answer.scores
    return replace(answer, scores=scores)


def ids_where(mask: Tensor, context: Context) -> tuple[int, ...]:
    """Return the client ids that the mask (n,) names."""
    return tuple(
        client for client, named in zip(context.client_ids, mask.tolist(), strict=True) if named
    )
