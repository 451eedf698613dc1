"""What a row of each resource holds: one line a field that is not simply a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from rest_framework import serializers

from simulations import selectors
from simulations.models import ClientRound, RoundMetrics, RunEvent, Simulation, StrategyRun

Row = tuple[Any, ...]


class Choosing:
    """A serializer of which `names` are shown, in order; without them all not on demand."""

    Meta: Any
    fields: Any

    def __init__(self, *args: Any, names: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.names = names or [name for name in self.Meta.fields if name not in self.on_demand]

    @property
    def on_demand(self) -> Sequence[str]:
        return getattr(self.Meta, "on_demand", ())

    def sortable(self) -> list[str]:
        """Return the fields that rows can be ordered by: all but lists and objects."""
        nested = serializers.JSONField | serializers.ListField
        return [name for name, field in self.fields.items() if not isinstance(field, nested)]


class RowSerializer(Choosing, serializers.ModelSerializer):  # type: ignore[misc]  # untyped
    """Turns rows of values into JSON; a field's `source` is the path of its column."""

    def column(self, name: str) -> str:
        """Return the path of the column that a field shows."""
        return str(self.fields[name].source).replace(".", "__")

    def filled(self, rows: Sequence[Row]) -> Iterable[Row]:
        """Return rows in which nothing has to be fetched any more."""
        return rows

    def to_representation(self, row: Row) -> dict[str, Any]:
        # Behind the fields' values those of the order's columns may follow.
        return {
            name: None if value is None else write(value)
            for (name, write), value in zip(self._writers, row, strict=False)
        }

    @cached_property
    def _writers(self) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(name, self.fields[name].to_representation) for name in self.names]


class SimulationSerializer(RowSerializer):
    status = serializers.ChoiceField(choices=Simulation.status.field.choices)
    progress = serializers.FloatField(source="progress_done", help_text="From 0 to 1.")
    error = serializers.CharField(
        source="shown_error", allow_null=True, help_text="Null unless it failed."
    )
    tags = serializers.ListField(source="pk", child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Simulation
        fields = [
            "simulation_id",
            "display_name",
            "status",
            "progress",
            "strategy_names",
            "attack_types",
            "dataset_keyword",
            "num_of_strategies",
            "num_of_rounds",
            "num_of_clients",
            "current_strategy",
            "current_round",
            "seed",
            "engine",
            "tags",
            "error",
            "attempt",
            "created_at",
            "queued_at",
            "started_at",
            "finished_at",
            "archived_at",
            "notes",
            "warnings",
            "config",
        ]
        on_demand = ["notes", "warnings", "config"]

    def filled(self, rows: Sequence[Row]) -> Iterable[Row]:
        if "tags" not in self.names:
            return rows
        place = self.names.index("tags")
        tags = selectors.tags_by_simulation([row[place] for row in rows])
        return [(*row[:place], tags[row[place]], *row[place + 1 :]) for row in rows]


class StrategySerializer(RowSerializer):
    simulation_id = serializers.CharField(source="simulation.simulation_id")
    strategy_number = serializers.IntegerField(source="number")
    strategy_keyword = serializers.CharField(source="keyword")
    strategy_name = serializers.CharField(source="name")
    dataset_keyword = serializers.CharField(source="simulation.dataset_keyword")
    status = serializers.ChoiceField(
        source="own_status", choices=Simulation.status.field.choices, help_text="Of the strategy."
    )
    client_sizes = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        model = StrategyRun
        fields = [
            "id",
            "simulation_id",
            "strategy_number",
            "strategy_keyword",
            "strategy_name",
            "dataset_keyword",
            "status",
            "current_round",
            "total_rounds",
            "num_parameters",
            "final_loss",
            "final_accuracy",
            "ended_early",
            "started_at",
            "finished_at",
            "client_sizes",
            "config",
        ]
        on_demand = ["client_sizes", "config"]


class MeasuredSerializer(RowSerializer):
    """What was measured in a round of a strategy."""

    simulation_id = serializers.CharField(source="strategy_run.simulation.simulation_id")
    strategy_number = serializers.IntegerField(source="strategy_run.number")
    strategy_keyword = serializers.CharField(source="strategy_run.keyword")
    strategy_name = serializers.CharField(source="strategy_run.name")


OF_STRATEGY = ["id", "simulation_id", "strategy_number", "strategy_keyword", "strategy_name"]


class RoundSerializer(MeasuredSerializer):
    class Meta:
        model = RoundMetrics
        fields = [
            *OF_STRATEGY,
            "round_number",
            "aggregated_loss",
            "average_accuracy",
            "average_accuracy_std",
            "global_loss",
            "global_accuracy",
            "attack_success_rate",
            "removal_threshold",
            "tp",
            "tn",
            "fp",
            "fn",
            "score_calculation_time_ns",
            "round_seconds",
            "recorded_at",
        ]


class ClientRoundSerializer(MeasuredSerializer):
    class Meta:
        model = ClientRound
        fields = [
            *OF_STRATEGY,
            "round_number",
            "client_id",
            "participated",
            "is_malicious",
            "is_removed",
            "loss",
            "accuracy",
            "train_loss",
            "absolute_distance",
            "removal_criterion",
            "num_examples",
            "train_seconds",
        ]


class EventSerializer(RowSerializer):
    simulation_id = serializers.CharField(source="simulation.simulation_id")

    class Meta:
        model = RunEvent
        fields = ["id", "simulation_id", "kind", "created_at", "payload"]


class DatasetSerializer(Choosing, serializers.Serializer):  # type: ignore[misc]
    """A dataset of the catalogue, as `datasets_app.selectors` lists it."""

    keyword = serializers.CharField(source="spec.keyword")
    title = serializers.CharField(source="spec.title")
    modality = serializers.CharField(source="spec.modality")
    state = serializers.CharField(help_text="here, absent, queued, fetching or failed.")
    place = serializers.CharField(help_text="Where it is read from.")
    num_train = serializers.IntegerField(allow_null=True)
    num_test = serializers.IntegerField(allow_null=True)
    num_classes = serializers.IntegerField(source="spec.num_classes")
    samples = serializers.CharField(help_text="What a sample is.")
    size_bytes = serializers.IntegerField(help_text="On disk.")
    download_bytes = serializers.IntegerField(allow_null=True)
    origin = serializers.CharField()
    licence = serializers.CharField(source="spec.licence")
    error = serializers.CharField(help_text="Why the last fetch failed.")

    class Meta:
        fields = [
            "keyword",
            "title",
            "modality",
            "state",
            "place",
            "num_train",
            "num_test",
            "num_classes",
            "samples",
            "size_bytes",
            "download_bytes",
            "origin",
            "licence",
            "error",
        ]

    def to_representation(self, listed: Any) -> dict[str, Any]:
        return {name: self.fields[name].get_attribute(listed) for name in self.names}
