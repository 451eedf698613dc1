"""The data of the charts of one strategy, built from the recorded rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from simulations.fl import strict_json
from simulations.fl.detection import Detection
from simulations.models import StrategyRun

Column = list[Any]
CLIENT_METRICS = {
    "removal_criterion_history": "removal_criterion",
    "absolute_distance_history": "absolute_distance",
    "loss_history": "loss",
    "accuracy_history": "accuracy",
    "aggregation_participation_history": "participated",
}
ROUND_METRICS = {
    "aggregated_loss_history": "aggregated_loss",
    "average_accuracy_history": "average_accuracy",
    "average_accuracy_std_history": "average_accuracy_std",
    "score_calculation_time_nanos_history": "score_calculation_time_ns",
    "global_accuracy_history": "global_accuracy",
    "global_loss_history": "global_loss",
}
COUNTS = ("tp", "tn", "fp", "fn")


def plot_data(strategy_run: StrategyRun) -> dict[str, Any]:
    """Return the finished rounds of a strategy; a value that was not measured is None.

    Every history has one entry a round. The file `plot_data_<n>.json` holds the same.
    """
    rounds = _rounds(strategy_run)
    return {
        **_before_clients(strategy_run, rounds),
        "per_client_metrics": list(_clients(strategy_run, rounds["round_number"])),
        **_after_clients(strategy_run, rounds),
    }


def written(strategy_run: StrategyRun) -> Iterator[str]:
    """Yield the same as JSON, piece by piece, so that only one client is in memory at a time."""
    rounds = _rounds(strategy_run)
    separator = strict_json.dumps(_before_clients(strategy_run, rounds))[:-1]
    separator += ',"per_client_metrics":['
    for client in _clients(strategy_run, rounds["round_number"]):
        yield separator + strict_json.dumps(client)
        separator = ","
    opening = "" if separator == "," else separator
    yield opening + "]," + strict_json.dumps(_after_clients(strategy_run, rounds))[1:]


def _before_clients(strategy_run: StrategyRun, rounds: dict[str, Column]) -> dict[str, Any]:
    return {"strategy_number": strategy_run.number, "rounds": rounds["round_number"]}


def _after_clients(strategy_run: StrategyRun, rounds: dict[str, Column]) -> dict[str, Any]:
    return {
        "removal_threshold_history": _unless_empty(rounds["removal_threshold"]),
        "round_metrics": {
            **{name: rounds[column] for name, column in ROUND_METRICS.items()},
            "attack_success_rate_history": _unless_empty(rounds["attack_success_rate"]),
            **(_detection(rounds) if strategy_run.config.get("remove_clients") else {}),
        },
    }


def _rounds(strategy_run: StrategyRun) -> dict[str, Column]:
    names = (
        "round_number",
        "removal_threshold",
        "attack_success_rate",
        *ROUND_METRICS.values(),
        *COUNTS,
    )
    rows = list(strategy_run.rounds.order_by("round_number").values_list(*names))
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _clients(strategy_run: StrategyRun, rounds: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the histories of each client; a round in which it has no row leaves None."""
    place = {number: index for index, number in enumerate(rounds)}
    rows = strategy_run.client_rounds.order_by("client_id", "round_number").values_list(
        "client_id", "round_number", "is_malicious", *CLIENT_METRICS.values()
    )
    for client_id, own in groupby(rows.iterator(chunk_size=2000), key=itemgetter(0)):
        # What was recorded after the rounds were read is left out.
        known = [row for row in own if row[1] in place]
        if known:
            yield {
                "client_id": client_id,
                "is_malicious": any(row[2] for row in known),
                "metrics": _histories(known, place),
            }


def _histories(rows: list[tuple[Any, ...]], place: dict[int, int]) -> dict[str, Column]:
    histories: dict[str, Column] = {name: [None] * len(place) for name in CLIENT_METRICS}
    for _, round_number, _, *values in rows:
        for history, value in zip(histories.values(), values, strict=True):
            history[place[round_number]] = int(value) if isinstance(value, bool) else value
    return histories


def _detection(rounds: dict[str, Column]) -> dict[str, Column]:
    """Return counts and rates; a benign client that is aggregated is a true positive."""
    counts = zip(*(rounds[name] for name in COUNTS), strict=True)
    found = [None if None in row else Detection(*row) for row in counts]
    named = {f"{name}_history": rounds[name] for name in COUNTS}
    for rate in ("accuracy", "precision", "recall", "f1"):
        named[f"removal_{rate}_history"] = [one and getattr(one, rate) for one in found]
    return named


def _unless_empty(column: Column) -> Column | None:
    return None if all(value is None for value in column) else column
