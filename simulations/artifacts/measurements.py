"""The recorded rows of a strategy as arrays, read once for all its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.detection import Detection
from simulations.fl.label_distribution import LabelDistribution
from simulations.models import StrategyRun

Array = NDArray[np.float64]
ROUND_COLUMNS = (
    "aggregated_loss",
    "average_accuracy",
    "average_accuracy_std",
    "global_accuracy",
    "global_loss",
    "attack_success_rate",
    "removal_threshold",
    "score_calculation_time_ns",
    "round_seconds",
)
COUNTS = ("tp", "tn", "fp", "fn")
RATES = ("accuracy", "precision", "recall", "f1")
CLIENT_COLUMNS = (
    "loss",
    "accuracy",
    "train_loss",
    "absolute_distance",
    "removal_criterion",
    "participated",
    "is_malicious",
    "is_removed",
    "num_examples",
    "train_seconds",
)
CHUNK = 5_000


@dataclass(frozen=True)
class AttackWindow:
    """An attack of the schedule, and the rounds (both included) it acts in."""

    attack_type: str
    first: int
    last: int


@dataclass(frozen=True)
class Measurements:
    """One strategy's rounds; a value that was not measured is NaN.

    `of_rounds` holds arrays (rounds,), `of_clients` arrays (rounds, clients), both in float64 and
    by column name; the detection rates are `removal_<rate>`. `spread` is what the engine wrote of
    the partition into the run's folder, None where it has not.
    """

    number: int
    name: str
    keyword: str
    config: Mapping[str, Any]
    rounds: NDArray[np.int64]
    clients: NDArray[np.int64]
    of_rounds: Mapping[str, Array]
    of_clients: Mapping[str, Array]
    ended_early: str = ""
    spread: LabelDistribution | None = None

    @property
    def removes(self) -> bool:
        return bool(self.config.get("remove_clients"))

    @property
    def removes_from(self) -> int:
        """Return the first round that may remove clients."""
        return int(self.config["begin_removing_from_round"])

    @property
    def malicious(self) -> NDArray[np.bool_]:
        """Tell for each client whether it was malicious in any round."""
        found: NDArray[np.bool_] = (self.of_clients["is_malicious"] == 1).any(axis=0)
        return found

    @property
    def removals(self) -> list[tuple[int, int]]:
        """Return (place of the round, place of the client) where a client is first removed."""
        removed = self.of_clients["is_removed"] == 1
        places = np.flatnonzero(removed.any(axis=0))
        return [(int(removed[:, place].argmax()), int(place)) for place in places]

    @property
    def attacks(self) -> list[AttackWindow]:
        entries = self.config.get("attack_schedule") or ()
        return [
            AttackWindow(entry["attack_type"], entry["start_round"], entry["end_round"])
            for entry in entries
        ]

    def final(self, column: str) -> float:
        """Return the last measured value of a round's column, NaN if there is none."""
        values = self.of_rounds[column]
        measured = values[~np.isnan(values)]
        return float(measured[-1]) if len(measured) else float("nan")


def measure(run: StrategyRun) -> Measurements:
    """Read a strategy's rows; client rows of rounds that are still being recorded are left out."""
    names = ("round_number", *ROUND_COLUMNS, *COUNTS)
    table = _numbers(list(run.rounds.order_by("round_number").values_list(*names)), len(names))
    of_rounds = {name: table[:, place] for place, name in enumerate(names)}
    rounds = of_rounds.pop("round_number").astype(np.int64)
    clients, of_clients = _clients(run, rounds)
    return Measurements(
        number=run.number,
        name=run.name,
        keyword=run.keyword,
        config=run.config,
        rounds=rounds,
        clients=clients,
        of_rounds={**of_rounds, **_rates(of_rounds)},
        of_clients=of_clients,
        ended_early=run.ended_early,
    )


def _clients(
    run: StrategyRun, rounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[str, Array]]:
    rows = run.client_rounds.order_by().values_list("round_number", "client_id", *CLIENT_COLUMNS)
    table = _numbers(list(rows.iterator(chunk_size=CHUNK)), len(CLIENT_COLUMNS) + 2)
    table = table[np.isin(table[:, 0], rounds)]
    clients, client_places = np.unique(table[:, 1].astype(np.int64), return_inverse=True)
    round_places = np.searchsorted(rounds, table[:, 0])
    of_clients = {}
    for place, name in enumerate(CLIENT_COLUMNS, start=2):
        values = np.full((len(rounds), len(clients)), np.nan)
        values[round_places, client_places] = table[:, place]
        of_clients[name] = values
    return clients, of_clients


def _numbers(rows: list[tuple[Any, ...]], columns: int) -> Array:
    """Return rows as float64, with NaN for None."""
    return np.array(rows, dtype=np.float64).reshape(-1, columns)


def _rates(of_rounds: Mapping[str, Array]) -> dict[str, Array]:
    counts = np.stack([of_rounds[name] for name in COUNTS], axis=1)
    found = [None if np.isnan(row).any() else Detection(*map(int, row)) for row in counts]
    return {
        f"removal_{rate}": np.array(
            [np.nan if one is None else _or_nan(getattr(one, rate)) for one in found]
        )
        for rate in RATES
    }


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
