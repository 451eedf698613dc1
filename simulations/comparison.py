"""Several simulations beside each other: what differs in their settings, what came out."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulations.fl import strict_json
from simulations.models import RoundMetrics, Simulation, StrategyRun

CURVES = {
    "global_accuracy": "Global test accuracy",
    "global_loss": "Global test loss",
    "average_accuracy": "Average accuracy of aggregated benign clients",
    "aggregated_loss": "Aggregated loss",
    "attack_success_rate": "Attack success rate",
}
LABELS = frozenset({"seed", "display_name", "strategy_name", "tags", "notes"})
"""Settings that do not change what is measured, but for chance."""


@dataclass(frozen=True)
class Compared:
    """A strategy of one of the simulations, with its measured rounds."""

    simulation: Simulation
    run: StrategyRun
    label: str
    rounds: list[int]
    curves: dict[str, list[float | None]]

    def final(self, name: str) -> float | None:
        return next((value for value in reversed(self.curves[name]) if value is not None), None)


@dataclass(frozen=True)
class Statistic:
    """Mean and sample standard deviation over `count` seeds; no deviation of a single one."""

    mean: float
    std: float | None
    count: int


@dataclass(frozen=True)
class Group:
    """Strategies that differ by nothing but seed and labels, and their final measurements."""

    label: str
    members: list[Compared]
    finals: dict[str, Statistic | None]


def compared(simulation_ids: Sequence[str]) -> list[Compared]:
    """Return every strategy of these simulations, in the order of the ids, in three queries."""
    runs = StrategyRun.objects.filter(simulation__simulation_id__in=simulation_ids)
    ordered = sorted(
        runs.select_related("simulation"),
        key=lambda run: (simulation_ids.index(run.simulation.simulation_id), run.number),
    )
    measured = _measured(ordered)
    labels = _labels(ordered)
    return [
        Compared(
            simulation=run.simulation,
            run=run,
            label=labels[run.pk],
            rounds=[row["round_number"] for row in measured[run.pk]],
            curves={name: [row[name] for row in measured[run.pk]] for name in CURVES},
        )
        for run in ordered
    ]


def differences(strategies: Sequence[Compared]) -> dict[str, list[str]]:
    """Return the settings that are not the same everywhere, as JSON text for each strategy."""
    names = sorted({name for one in strategies for name in one.run.config})
    columns = {
        name: [strict_json.dumps(one.run.config.get(name)) for one in strategies] for name in names
    }
    return {name: texts for name, texts in columns.items() if len(set(texts)) > 1}


def groups(strategies: Sequence[Compared]) -> list[Group]:
    """Group what was repeated with other seeds; the first of each group gives its label."""
    together: defaultdict[str, list[Compared]] = defaultdict(list)
    for one in strategies:
        kept = {name: value for name, value in one.run.config.items() if name not in LABELS}
        together[strict_json.dumps(dict(sorted(kept.items())))].append(one)
    return [
        Group(members[0].label, members, {name: _statistic(members, name) for name in CURVES})
        for members in together.values()
    ]


def _statistic(members: Sequence[Compared], name: str) -> Statistic | None:
    values = [value for one in members if (value := one.final(name)) is not None]
    if not values:
        return None
    std = statistics.stdev(values) if len(values) > 1 else None
    return Statistic(statistics.fmean(values), std, len(values))


def _measured(runs: Sequence[StrategyRun]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {run.pk: [] for run in runs}
    rows = RoundMetrics.objects.filter(strategy_run__in=found).order_by("round_number")
    for row in rows.values("strategy_run_id", "round_number", *CURVES):
        found[row["strategy_run_id"]].append(row)
    return found


def _labels(runs: Sequence[StrategyRun]) -> dict[int, str]:
    """Name each by its strategy, and by its simulation and seed where that is not enough."""
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return {run.pk: run.name for run in runs}
    return {run.pk: f"{run.name} · {run.simulation} · seed {run.config['seed']}" for run in runs}
