"""The tool that says why a client was removed, or why not."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q

from simulations import selectors
from simulations.assistant import documents, names
from simulations.assistant.bounds import MAX_ROWS, clip, rounded
from simulations.fl.strategies import STRATEGIES
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun

MAX_CLIENT = 10_000


@dataclass(frozen=True)
class Decision:
    """What the rule saw in the round in which it removed the client."""

    score: float | None
    others: list[float]
    threshold: float | None


def explain_client(simulation: str, client_id: int) -> dict[str, Any]:
    """Say for each strategy of a simulation whether and why it removed the client.

    The figures are those of the round in which the rule decided: the client's score, those of the
    clients that were still in, the threshold if the rule has one. `was_attacker` is the truth that
    the rule did not know. `simulation` is an id, a name, part of a name, or "latest".
    """
    row = names.simulation(simulation)
    if not 0 <= client_id < min(row.num_of_clients, MAX_CLIENT):
        last = row.num_of_clients - 1
        raise names.NotFound(f"{clip(str(row), 100)} has the clients 0 to {last}, not {client_id}.")
    runs = selectors.strategies_of(row)[:MAX_ROWS]
    summaries = _summaries(runs, client_id)
    decisions = _decisions(summaries, client_id)
    return {
        "simulation_id": row.simulation_id,
        "name": clip(str(row), 100),
        "client_id": client_id,
        "num_of_strategies": row.num_of_strategies,
        "strategies": [
            _verdict(row, run, summaries.get(run.pk), decisions.get(run.pk)) for run in runs
        ],
    }


def _summaries(runs: list[StrategyRun], client_id: int) -> dict[int, dict[str, Any]]:
    """Count the client's rounds in each strategy; the last without removal is the decisive one."""
    rounds = ClientRound.objects.filter(strategy_run__in=runs, client_id=client_id).order_by()
    in_it = Q(is_removed=False)
    counted = rounds.values("strategy_run_id").annotate(
        measured=Count("pk"),
        aggregated=Count("pk", filter=Q(participated=True)),
        left_out=Count("pk", filter=in_it & Q(participated=False)),
        attacked=Count("pk", filter=Q(is_malicious=True)),
        removed_from=Min("round_number", filter=Q(is_removed=True)),
        decided_in=Max("round_number", filter=in_it),
    )
    return {one["strategy_run_id"]: dict(one) for one in counted}


def _decisions(summaries: dict[int, dict[str, Any]], client_id: int) -> dict[int, Decision]:
    """Read the decisive rounds of all strategies in two queries."""
    decided = Q(pk__in=[])
    for pk, summary in summaries.items():
        if summary["removed_from"] is not None and summary["decided_in"] is not None:
            decided |= Q(strategy_run_id=pk, round_number=summary["decided_in"])
    thresholds = dict(
        RoundMetrics.objects.filter(decided).values_list("strategy_run_id", "removal_threshold")
    )
    scores: dict[int, dict[int, float | None]] = {}
    rows = ClientRound.objects.filter(decided, is_removed=False)
    for pk, client, score in rows.values_list("strategy_run_id", "client_id", "removal_criterion"):
        scores.setdefault(pk, {})[client] = score
    return {
        pk: Decision(
            score=of.get(client_id),
            others=[s for client, s in of.items() if client != client_id and s is not None],
            threshold=thresholds.get(pk),
        )
        for pk, of in scores.items()
    }


def _verdict(
    row: Simulation, run: StrategyRun, summary: dict[str, Any] | None, decision: Decision | None
) -> dict[str, Any]:
    spec = STRATEGIES.get(run.keyword)
    told: dict[str, Any] = {
        "strategy_number": run.number,
        "keyword": run.keyword,
        "name": clip(run.name, 100),
        "criterion": spec.criterion if spec else "",
        "rule": documents.removal_rule(run.keyword),
    }
    if summary is None:
        return {**told, "removed": False, "reason": "No round of this client is recorded."}
    removed = summary["removed_from"] is not None
    reason = _why(run, summary, decision) if removed else _why_not(run, summary)
    return {
        **told,
        "removed": removed,
        "reason": reason,
        "was_attacker": summary["attacked"] > 0,
        "rounds_attacked": summary["attacked"],
        "rounds_measured": summary["measured"],
        "rounds_aggregated": summary["aggregated"],
        "rounds_left_out": summary["left_out"],
        **(_figures(summary, decision) if removed else {}),
    }


def _figures(summary: dict[str, Any], decision: Decision | None) -> dict[str, Any]:
    figures = {"removed_from": summary["removed_from"], "decided_in": summary["decided_in"]}
    if decision is None:
        return figures
    others = decision.others
    return {
        **figures,
        "score": rounded(decision.score),
        "threshold": rounded(decision.threshold),
        "others": {
            "count": len(others),
            "lowest": rounded(min(others)),
            "median": rounded(statistics.median(others)),
            "highest": rounded(max(others)),
        }
        if others
        else None,
    }


def _why(run: StrategyRun, summary: dict[str, Any], decision: Decision | None) -> str:
    if decision is None:
        return "The round in which it was decided is not recorded."
    spec = STRATEGIES.get(run.keyword)
    place = f"In round {summary['decided_in']} its {spec.criterion if spec else 'score'}"
    if decision.score is None:
        return f"{place} was no number: its update was not finite."
    is_low = spec is not None and spec.worst == "lowest"
    said = [f"{place} was {decision.score:.4g}"]
    if decision.threshold is not None:
        said.append(_against_threshold(decision.score, decision.threshold, is_low))
    if decision.others:
        said.append(_against_others(decision.score, decision.others, is_low))
    return f"{', '.join(said)}."


def _against_threshold(score: float, threshold: float, is_low: bool) -> str:
    is_beyond = score < threshold if is_low else score > threshold
    side = "not beyond" if not is_beyond else "below" if is_low else "above"
    return f"{side} the threshold of {threshold:.4g}"


def _against_others(score: float, others: list[float], is_low: bool) -> str:
    worse = sum(other < score if is_low else other > score for other in others)
    end = "lowest" if is_low else "highest"
    rank = f"the {end}" if worse == 0 else f"number {worse + 1} from the {end}"
    median = statistics.median(others)
    return f"{rank} of the {len(others) + 1} clients still in (median of the others {median:.4g})"


def _why_not(run: StrategyRun, summary: dict[str, Any]) -> str:
    if not run.config.get("remove_clients"):
        return "It was not removed: remove_clients is off, so the rule only scores clients."
    spec = STRATEGIES.get(run.keyword)
    begin = run.config.get("begin_removing_from_round")
    if spec is not None and not spec.removes:
        return "It was not removed: this rule never removes a client for good."
    if summary["left_out"]:
        return (
            f"It was not removed for good, but left out of the aggregate in {summary['left_out']} "
            f"of {summary['measured']} rounds."
        )
    return f"It was not removed: from round {begin} on the rule never found it suspicious enough."
