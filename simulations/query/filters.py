"""What each resource can be filtered by: one line a parameter."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import FilterSet

from datasets_app.catalog import CATALOG
from datasets_app.models import Dataset
from simulations import selectors
from simulations.fl.attacks import ATTACKS
from simulations.fl.events import EVENTS
from simulations.fl.strategies import STRATEGIES
from simulations.models import Status, StrategyRun
from simulations.query.filter_kinds import (
    Kind,
    Measure,
    Moment,
    Numbers,
    Presence,
    Runs,
    Seeds,
    Several,
    Tags,
    Truth,
    Whole,
    Words,
    text_of,
)

KINDS = frozenset({"status", "warning", "round", *EVENTS} - {"round_finished"})


class Strategies(Words):
    """Simulations that have a strategy of any of these keywords."""

    def filter(self, rows: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        if not value:
            return rows
        runs = StrategyRun.objects.filter(simulation=OuterRef("pk"), keyword__in=value)
        return rows.filter(Exists(runs))


class Attacks(Words):
    """Simulations that plan any of these attacks."""

    def filter(self, rows: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        if not value:
            return rows
        planned = [selectors.lists("attack_types", attack) for attack in value]
        return rows.filter(reduce(or_, planned))


class Search(Kind):
    """Text anywhere in what people call a simulation by."""

    def __init__(self) -> None:
        told = "Text in id, name, notes, tags, keywords."
        super().__init__("pk", "search", text_of, {"type": "string"}, told)

    def filter(self, rows: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return rows.filter(selectors.mentions(value)) if value else rows


class SimulationFilters(FilterSet):  # type: ignore[misc]  # django-filter has no types
    simulation = Runs("")
    status = Words("status", "status", Status.values, "Status of the simulation.")
    strategy = Strategies("pk", "strategy", STRATEGIES, "Keyword of one of its strategies.")
    dataset = Several("dataset_keyword", text_of, "Keyword of its dataset.")
    attack = Attacks("pk", "attack", ATTACKS, "An attack that it plans.")
    tag = Tags("pk")
    archived = Presence("archived_at", "Whether it is hidden from the list.")
    search = Search()
    seed = Seeds("seed", "Its seed.")
    num_of_rounds_min = Whole("num_of_rounds", "gte", "At least so many rounds.")
    num_of_rounds_max = Whole("num_of_rounds", "lte", "At most so many rounds.")
    num_of_clients_min = Whole("num_of_clients", "gte", "At least so many clients.")
    num_of_clients_max = Whole("num_of_clients", "lte", "At most so many clients.")
    created_after = Moment("created_at", "gte", "Submitted then or later.")
    created_before = Moment("created_at", "lt", "Submitted before.")
    finished_after = Moment("finished_at", "gte", "Ended then or later.")
    finished_before = Moment("finished_at", "lt", "Ended before.")


class StrategyFilters(FilterSet):  # type: ignore[misc]
    simulation = Runs("simulation__")
    status = Words("own_status", "status", Status.values, "Status of the strategy.")
    strategy = Words("keyword", "strategy", STRATEGIES, "Its keyword.")
    strategy_number = Numbers("number", "Its number in the simulation, from 0.")
    dataset = Several("simulation__dataset_keyword", text_of, "Keyword of the dataset.")
    tag = Tags("simulation_id")
    final_accuracy_min = Measure("final_accuracy", "gte", "Final accuracy at least.")
    final_accuracy_max = Measure("final_accuracy", "lte", "Final accuracy at most.")
    created_after = Moment("simulation__created_at", "gte", "Submitted then or later.")
    created_before = Moment("simulation__created_at", "lt", "Submitted before.")
    finished_after = Moment("finished_at", "gte", "Ended then or later.")
    finished_before = Moment("finished_at", "lt", "Ended before.")


class MeasuredFilters(FilterSet):  # type: ignore[misc]
    """Of what was measured in a round of a strategy."""

    simulation = Runs("strategy_run__simulation__")
    strategy = Words("strategy_run__keyword", "strategy", STRATEGIES, "Keyword of the strategy.")
    strategy_number = Numbers("strategy_run__number", "Number of the strategy, from 0.")
    dataset = Several(
        "strategy_run__simulation__dataset_keyword", text_of, "Keyword of the dataset."
    )
    status = Words(
        "strategy_run__simulation__status", "status", Status.values, "Status of the simulation."
    )
    tag = Tags("strategy_run__simulation_id")
    created_after = Moment(
        "strategy_run__simulation__created_at", "gte", "Submitted then or later."
    )
    created_before = Moment("strategy_run__simulation__created_at", "lt", "Submitted before.")
    round = Numbers("round_number", "Number of the round, from 1.")
    round_min = Whole("round_number", "gte", "From this round on.")
    round_max = Whole("round_number", "lte", "Up to this round.")


class RoundFilters(MeasuredFilters):
    global_accuracy_min = Measure("global_accuracy", "gte", "Global accuracy at least.")
    global_accuracy_max = Measure("global_accuracy", "lte", "Global accuracy at most.")
    recorded_after = Moment("recorded_at", "gte", "Recorded then or later.")
    recorded_before = Moment("recorded_at", "lt", "Recorded before.")


class ClientRoundFilters(MeasuredFilters):
    client = Numbers("client_id", "Number of the client, from 0.")
    malicious = Truth("is_malicious", "Whether the client attacked in that round.")
    removed = Truth("is_removed", "Whether the client was removed by then.")
    participated = Truth("participated", "Whether its update was aggregated.")
    removal_criterion_min = Measure("removal_criterion", "gte", "Score at least.")
    removal_criterion_max = Measure("removal_criterion", "lte", "Score at most.")


class EventFilters(FilterSet):  # type: ignore[misc]
    simulation = Runs("simulation__")
    kind = Words("kind", "kind", KINDS, "What happened.")
    status = Words("simulation__status", "status", Status.values, "Status of the simulation now.")
    tag = Tags("simulation_id")
    id_after = Whole("id", "gt", "Recorded after the event of this id.")
    created_after = Moment("created_at", "gte", "Recorded then or later.")
    created_before = Moment("created_at", "lt", "Recorded before.")


class DatasetFilters(FilterSet):  # type: ignore[misc]
    """Read like the others; datasets are few, and their state is on the disk, not in rows."""

    dataset = Words("keyword", "dataset", CATALOG, "Its keyword.")
    modality = Words("modality", "modality", ("image", "text"), "What its samples are.")
    state = Words(
        "state", "state", ("here", "absent", "queued", "fetching", "failed"), "Whether it is here."
    )

    class Meta:
        model = Dataset
        fields: list[str] = []
