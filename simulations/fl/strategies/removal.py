"""Ways to decide from the scores who is removed for good and who sits out the next round."""

from __future__ import annotations

from dataclasses import replace

import torch

from simulations.fl.strategies.base import Aggregation, Context, scores_of
from simulations.fl.strategies.screening import ids_where


def remove_highest(answer: Aggregation, context: Context) -> Aggregation:
    """Remove the client of the highest score among those kept; the first of equals."""
    scores = scores_of(answer).masked_fill(~context.kept, -torch.inf)
    return replace(answer, removed=(context.client_ids[int(scores.argmax())],))


def remove_above_threshold(answer: Aggregation, context: Context) -> Aggregation:
    """Remove every client kept so far whose score is above the round's threshold."""
    assert answer.threshold is not None, "a rule with this removal reports a threshold"
    above = (scores_of(answer) > answer.threshold) & context.kept
    return replace(answer, removed=ids_where(above, context))


def suspend_highest(answer: Aggregation, context: Context, count: int) -> Aggregation:
    """Leave the `count` clients of the highest scores out of the next round.

    Clients that sit out this round can be named again, and a score of 0 is no suspicion.
    """
    scores = scores_of(answer)
    order = scores.argsort(descending=True, stable=True)[:count]
    chosen = torch.zeros_like(context.kept)
    chosen[order] = scores[order] > 0
    return replace(answer, suspended=ids_where(chosen, context))
