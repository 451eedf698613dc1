"""The data of the charts of one strategy, built from the recorded rows."""

from __future__ import annotations

from typing import Any

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
        "strategy_number": strategy_run.number,
        "rounds": rounds["round_number"],
        "per_client_metrics": _clients(strategy_run, rounds["round_number"]),
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


def _clients(strategy_run: StrategyRun, rounds: list[int]) -> list[dict[str, Any]]:
    """Return the histories of each client; a round in which it has no row leaves None."""
    place = {number: index for index, number in enumerate(rounds)}
    clients: dict[int, dict[str, Any]] = {}
    rows = strategy_run.client_rounds.order_by("client_id", "round_number").values_list(
        "client_id", "round_number", "is_malicious", *CLIENT_METRICS.values()
    )
    for client_id, round_number, is_malicious, *values in rows.iterator(chunk_size=5000):
        index = place.get(round_number)
        if index is None:  # Recorded after the rounds were read.
            continue
        client = clients.get(client_id) or _add(clients, client_id, len(rounds))
        client["is_malicious"] |= is_malicious
        for history, value in zip(client["metrics"].values(), values, strict=True):
            history[index] = int(value) if isinstance(value, bool) else value
    return list(clients.values())


def _add(clients: dict[int, dict[str, Any]], client_id: int, num_rounds: int) -> dict[str, Any]:
    metrics: dict[str, Column] = {name: [None] * num_rounds for name in CLIENT_METRICS}
    clients[client_id] = {"client_id": client_id, "is_malicious": False, "metrics": metrics}
    return clients[client_id]


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
