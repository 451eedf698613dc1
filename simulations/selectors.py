"""Every query that readers need; nothing here writes."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, FloatField, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from simulations.models import ACTIVE, RoundMetrics, Simulation, SimulationTag, Status, StrategyRun

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SUMMARY = (
    "simulation_id",
    "display_name",
    "num_of_rounds",
    "num_of_clients",
    "created_at",
    "status",
    "dataset_keyword",
    "num_of_strategies",
)
ORDERINGS = {
    "created_at": "created_at",
    "display_name": "display_name",
    "status": "status",
    "progress": "progress_done",
    "strategy_name": "strategy_names",
    "dataset_keyword": "dataset_keyword",
    "num_of_rounds": "num_of_rounds",
    "num_of_clients": "num_of_clients",
}


class InvalidSimulationId(ValueError):
    """The id is not made of 1 to 64 letters, digits, underscores and hyphens."""


class UnknownSimulation(LookupError):
    """No simulation has this id."""


@dataclass(frozen=True)
class Listing:
    """One page of summaries, and how many simulations match in all."""

    rows: list[dict[str, Any]]
    total: int


@dataclass(frozen=True)
class Filters:
    """What to list; an empty string or None filters nothing."""

    status: str = ""
    search: str = ""
    tag: str = ""
    strategy: str = ""
    dataset: str = ""
    attack: str = ""
    archived: bool | None = None
    ordering: str = "-created_at"
    limit: int | None = None
    offset: int = 0


def simulation(simulation_id: str) -> Simulation:
    """Return the simulation; raise InvalidSimulationId or UnknownSimulation."""
    if not ID.fullmatch(simulation_id):
        raise InvalidSimulationId(
            "A simulation_id has 1 to 64 letters, digits, underscores and hyphens."
        )
    row = Simulation.objects.filter(simulation_id=simulation_id).first()
    if row is None:
        raise UnknownSimulation(f"There is no simulation {simulation_id}.")
    return row


def listing(filters: Filters) -> Listing:
    """Return summaries with their tags in three queries, however many rows there are."""
    return Listing(list(summaries(filters)), count(filters))


def count(filters: Filters) -> int:
    """Return how many simulations match in all."""
    return _matching(filters).count()


def summaries(filters: Filters) -> Iterator[dict[str, Any]]:
    """Yield summaries one after the other, in two queries; only the tags are all in memory."""
    end = None if filters.limit is None else filters.offset + filters.limit
    page = _ordered(_matching(filters), filters.ordering)[filters.offset : end]
    tags = tags_by_simulation(page.values("pk"))
    columns = (*SUMMARY, "pk", "strategy_names", "attack_types", "rounds_done", "rounds_total")
    for row in page.values(*columns).iterator(chunk_size=500):
        yield _summary(row, tags.pop(row["pk"], []))


def queue_counts() -> dict[str, int]:
    """Count the simulations of each status in one query."""
    counted = dict(Simulation.objects.order_by().values_list("status").annotate(Count("pk")))
    return {status.value: counted.get(status.value, 0) for status in Status}


def has_active() -> bool:
    return Simulation.objects.filter(status__in=ACTIVE).exists()


def tags_of(row: Simulation) -> list[str]:
    return list(row.tags.order_by("name").values_list("name", flat=True))


def strategies_of(row: Simulation) -> list[StrategyRun]:
    return list(row.strategies.order_by("number"))


def strategy_with_rounds(row: Simulation) -> StrategyRun | None:
    """Return the first strategy of which a round is recorded, or None before the first round."""
    return _measured(row).first()


def strategies_with_rounds(row: Simulation) -> list[StrategyRun]:
    return list(_measured(row))


def rounds_of(strategy_run: StrategyRun) -> list[dict[str, Any]]:
    """Return the recorded rounds, each with every measured column."""
    columns = [field.name for field in RoundMetrics._meta.concrete_fields][2:]
    return list(strategy_run.rounds.order_by("round_number").values(*columns))


def queue_position(row: Simulation) -> int | None:
    """Return 1 for the simulation that is next, None for one that does not wait."""
    if row.status != Status.QUEUED:
        return None
    earlier = Q(queued_at__lt=row.queued_at) | Q(queued_at=row.queued_at, pk__lt=row.pk)
    return Simulation.objects.filter(earlier, status=Status.QUEUED).count() + 1


def choices() -> dict[str, list[str]]:
    """Return what the simulations can be filtered by: keywords of datasets and strategies, tags."""
    rows = Simulation.objects.order_by("dataset_keyword")
    runs = StrategyRun.objects.order_by("keyword")
    tags = SimulationTag.objects.order_by("name")
    return {
        "dataset": list(rows.values_list("dataset_keyword", flat=True).distinct()),
        "strategy": list(runs.values_list("keyword", flat=True).distinct()),
        "tag": list(tags.values_list("name", flat=True).distinct()),
    }


def accuracies(simulation_ids: list[str]) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest final accuracy of each of these that has one."""
    measured = StrategyRun.objects.order_by().filter(
        final_accuracy__isnull=False, simulation__simulation_id__in=simulation_ids
    )
    ranges = measured.values_list("simulation__simulation_id").annotate(
        Min("final_accuracy"), Max("final_accuracy")
    )
    return {simulation_id: (lowest, highest) for simulation_id, lowest, highest in ranges}


def total_rounds(row: Simulation) -> int:
    """Return the rounds of the strategy that runs, which may differ from strategy to strategy."""
    if row.num_of_rounds * row.num_of_strategies == row.rounds_total:
        return row.num_of_rounds
    own = row.strategies.filter(number=row.current_strategy)
    return own.values_list("total_rounds", flat=True).first() or row.num_of_rounds


def _measured(row: Simulation) -> QuerySet[StrategyRun]:
    measured = RoundMetrics.objects.filter(strategy_run=OuterRef("pk"))
    return row.strategies.filter(Exists(measured)).order_by("number")


def _matching(filters: Filters) -> QuerySet[Simulation]:
    rows = Simulation.objects.all()
    if filters.status:
        rows = rows.filter(status__in=filters.status.split(","))
    if filters.dataset:
        rows = rows.filter(dataset_keyword=filters.dataset)
    if filters.strategy:
        runs = StrategyRun.objects.filter(simulation=OuterRef("pk"), keyword=filters.strategy)
        rows = rows.filter(Exists(runs))
    if filters.attack:
        rows = rows.filter(lists("attack_types", filters.attack))
    if filters.archived is not None:
        rows = rows.filter(archived_at__isnull=not filters.archived)
    if filters.tag:
        rows = rows.filter(Exists(_tag_rows(name=filters.tag)))
    if filters.search:
        rows = rows.filter(mentions(filters.search))
    return rows


def lists(column: str, name: str) -> Q:
    """Match rows whose `column`, names joined by ", ", holds the name."""
    return (
        Q(**{column: name})
        | Q(**{f"{column}__startswith": f"{name}, "})
        | Q(**{f"{column}__endswith": f", {name}"})
        | Q(**{f"{column}__contains": f", {name}, "})
    )


def mentions(text: str) -> Q | Exists:
    """Return the condition that what people call a simulation by has the text."""
    names = ("simulation_id", "display_name", "notes")
    keywords = ("strategy_names", "dataset_keyword", "attack_types")
    found = Q(Exists(_tag_rows(name__icontains=text)))
    for column in (*names, *keywords):
        found |= Q(**{f"{column}__icontains": text})
    return found


def _tag_rows(**condition: str) -> QuerySet[SimulationTag]:
    return SimulationTag.objects.filter(simulation=OuterRef("pk"), **condition)


def _ordered(rows: QuerySet[Simulation], ordering: str) -> QuerySet[Simulation]:
    column = ORDERINGS[ordering.removeprefix("-")]
    sign = "-" if ordering.startswith("-") else ""
    if column == "progress_done":
        done = Cast(F("rounds_done"), FloatField()) / F("rounds_total")
        rows = rows.annotate(progress_done=done)
    return rows.order_by(f"{sign}{column}", f"{sign}id")


def tags_by_simulation(pks: Iterable[Any]) -> defaultdict[int, list[str]]:
    """Return the tags of each of these simulations, by primary key, in one query."""
    names: defaultdict[int, list[str]] = defaultdict(list)
    rows = SimulationTag.objects.filter(simulation__in=pks).order_by("name")
    for pk, name in rows.values_list("simulation_id", "name").iterator(chunk_size=500):
        names[pk].append(sys.intern(name))
    return names


def _summary(row: dict[str, Any], tags: list[str]) -> dict[str, Any]:
    done, total = row["rounds_done"], row["rounds_total"]
    return {
        **{name: row[name] for name in SUMMARY},
        "strategy_name": row["strategy_names"],
        "attack_types": row["attack_types"],
        "progress": done / total if total else 0.0,
        "tags": tags,
    }
