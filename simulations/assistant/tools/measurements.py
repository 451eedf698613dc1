"""Tools about what came out: strategies beside each other, and the best of all."""

from __future__ import annotations

from typing import Any

from django.db.models import Avg, Count, Max, QuerySet

from simulations import comparison, selectors
from simulations.assistant import names
from simulations.assistant.bounds import clip, first, rounded
from simulations.comparison import Compared, Statistic
from simulations.models import StrategyRun

MAX_COMPARED = 8
MAX_SETTINGS = 15
MAX_VALUE = 80


def best_strategies(
    strategies: list[str], dataset: str = "", attack: str = "", limit: int = 5
) -> dict[str, Any]:
    """Rank recorded strategies by final accuracy, and sum up each keyword over all its runs.

    `strategies` are keywords to look at (all when empty); `dataset` and `attack` are keywords that
    restrict it. `highest` and `mean` are of final accuracies between 0 and 1. Accuracies under
    different datasets or attacks cannot be compared.
    """
    runs = StrategyRun.objects.filter(final_accuracy__isnull=False)
    if strategies:
        runs = runs.filter(keyword__in=[names.storable(one) for one in strategies[:MAX_COMPARED]])
    if dataset:
        runs = runs.filter(simulation__dataset_keyword=names.storable(dataset))
    if attack:
        lists = selectors.lists("simulation__attack_types", names.storable(attack))
        runs = runs.filter(lists)
    best = runs.select_related("simulation").order_by("-final_accuracy", "-id")
    return {
        "ranking": [_ranked(run) for run in best[: max(1, min(limit, MAX_COMPARED))]],
        "by_strategy": _by_keyword(runs),
    }


def compare_simulations(simulations: list[str]) -> dict[str, Any]:
    """Compare every strategy of up to 8 simulations: final figures, and which settings differ.

    `simulations` are ids or names; one simulation with several strategies can be compared too.
    `groups` joins strategies that differ only by seed: mean, std and number of seeds.
    """
    rows = [names.simulation(one) for one in simulations[:MAX_COMPARED]]
    ids = list(dict.fromkeys(row.simulation_id for row in rows))
    strategies = comparison.compared(ids)
    shown = first(strategies)
    return {
        "simulation_ids": ids,
        "total": len(strategies),
        "strategies": [_compared(one) for one in shown],
        "groups": [_group(group) for group in first(comparison.groups(shown))],
        "different_settings": _differences(shown),
    }


def _by_keyword(runs: QuerySet[StrategyRun]) -> list[dict[str, Any]]:
    counted = runs.order_by().values("keyword")
    summed = counted.annotate(
        count=Count("pk"), mean=Avg("final_accuracy"), highest=Max("final_accuracy")
    )
    return [
        {
            "keyword": one["keyword"],
            "count": one["count"],
            "mean": rounded(one["mean"]),
            "highest": rounded(one["highest"]),
        }
        for one in summed.order_by("-mean", "keyword")[:MAX_COMPARED]
    ]


def _ranked(run: StrategyRun) -> dict[str, Any]:
    return {
        **_about(run),
        "dataset": clip(run.simulation.dataset_keyword),
        "attacks": clip(run.simulation.attack_types),
        "final_accuracy": rounded(run.final_accuracy),
        "final_loss": rounded(run.final_loss),
    }


def _about(run: StrategyRun) -> dict[str, Any]:
    return {
        "simulation_id": run.simulation.simulation_id,
        "simulation": clip(str(run.simulation), 100),
        "strategy_number": run.number,
        "keyword": run.keyword,
        "name": clip(run.name, 100),
    }


def _compared(one: Compared) -> dict[str, Any]:
    return {
        **_about(one.run),
        "rounds": len(one.rounds),
        **{name: rounded(one.final(name)) for name in comparison.CURVES},
    }


def _group(group: comparison.Group) -> dict[str, Any]:
    return {
        "label": clip(group.label, 150),
        "seeds": len(group.members),
        "global_accuracy": _statistic(group.finals["global_accuracy"]),
        "attack_success_rate": _statistic(group.finals["attack_success_rate"]),
    }


def _statistic(found: Statistic | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"mean": rounded(found.mean), "std": rounded(found.std), "count": found.count}


def _differences(strategies: list[Compared]) -> dict[str, list[str]]:
    different = first(list(comparison.differences(strategies).items()), MAX_SETTINGS)
    return {name: [clip(text, MAX_VALUE) for text in texts] for name, texts in different}
