"""When a strategy removed clients, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from simulations.fl.strategies import STRATEGIES
from simulations.models import ClientRound, StrategyRun
from simulations.pages.run.client_curves import criterion

NONE = "–"
Score = float | None
Scores = dict[tuple[int, int], Score]
"""By client and round."""


def told(
    run: StrategyRun,
    client: int,
    first_without: int | None,
    verdicts: Scores,
    thresholds: Mapping[int, Score],
) -> str:
    """Say after which round the client was removed and why, if it took part in that round."""
    if first_without is None:
        return NONE
    judged = first_without - 1
    if (client, judged) not in verdicts:
        return f"before round {first_without}"
    why = reason(run, verdicts[client, judged], thresholds.get(judged))
    return f"after round {judged}: {why}"


def reason(run: StrategyRun, score: Score, threshold: Score) -> str:
    """Say why a strategy removed a client; a score that is not finite has no value."""
    name, spec = criterion(run), STRATEGIES.get(run.keyword)
    worst = spec.worst if spec else "highest"
    if score is None:
        return "its update was not finite"
    if threshold is not None and (score > threshold if worst == "highest" else score < threshold):
        side = "above" if worst == "highest" else "below"
        return f"{name} {score:.4g} {side} the threshold {threshold:.4g}"
    return f"{worst} {name} of those left, {score:.4g}"


def verdicts(run: StrategyRun, removed: Mapping[int, int]) -> Scores:
    """Return the scores of the rounds after which clients were removed."""
    asked = Q(pk__in=[])
    for client, first_without in removed.items():
        # Each names the strategy, so that each is a look into the index.
        asked |= Q(strategy_run=run, round_number=first_without - 1, client_id=client)
    return scores(asked, num_examples__gt=0)


def scores(*asked: Q, **conditions: Any) -> Scores:
    rows = ClientRound.objects.order_by().filter(*asked, **conditions)
    columns = ("client_id", "round_number", "removal_criterion")
    return {(client, number): score for client, number, score in rows.values_list(*columns)}
