"""Simulations and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from simulations.admin.actions import SimulationActions
from simulations.admin.recorded import RecordedAdmin, change_link, page_link, related
from simulations.fl.config import StrategyConfig
from simulations.models import RunEvent, Simulation, SimulationTag, StrategyRun

if TYPE_CHECKING:
    AnyInline = admin.TabularInline[SimulationTag, Simulation]
else:
    AnyInline = admin.TabularInline


class ArchivedFilter(admin.SimpleListFilter):
    """Whether the dashboard shows them."""

    title = "archived"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "no"), ("yes", "yes")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Simulation]
    ) -> QuerySet[Simulation]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(archived_at__isnull=self.value() == "no")


class StrategyFilter(admin.SimpleListFilter):
    """Whether one of the strategies has the keyword."""

    title = "strategy"
    parameter_name = "strategy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        keywords = StrategyRun.objects.order_by("keyword").values_list("keyword", flat=True)
        return [(keyword, keyword) for keyword in keywords.distinct()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Simulation]
    ) -> QuerySet[Simulation]:
        if not self.value():
            return queryset
        runs = StrategyRun.objects.filter(keyword=self.value())
        return queryset.filter(pk__in=runs.values("simulation"))


class EngineFilter(admin.SimpleListFilter):
    """Where clients train; the choices are known, so that no row is asked for them."""

    title = "engine"
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in get_args(StrategyConfig.model_fields["engine"].annotation)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Simulation]
    ) -> QuerySet[Simulation]:
        return queryset.filter(engine=self.value()) if self.value() else queryset


class TagInline(AnyInline):
    """The labels of a simulation, which may change."""

    model = SimulationTag
    extra = 0


@admin.register(Simulation)
class SimulationAdmin(SimulationActions, RecordedAdmin):
    """Simulations, with what operators may do to them."""

    EDITABLE = ("display_name", "notes")
    LINKS = ("page", "strategies_link", "events_link")
    unneeded = ("config", "warnings", "notes", "error")
    list_display = [
        "simulation_id",
        "display_name",
        "status",
        "percent",
        "strategy_names",
        "attack_types",
        "dataset_keyword",
        "num_of_rounds",
        "num_of_clients",
        "attempt",
        "created_at",
        "finished_at",
        *LINKS,
    ]
    list_filter = [
        "status",
        ArchivedFilter,
        StrategyFilter,
        "dataset_keyword",
        EngineFilter,
        "created_at",
    ]
    search_fields = ["simulation_id", "display_name", "strategy_names", "notes", "tags__name"]
    date_hierarchy = "created_at"
    actions = [
        "stop_selected",
        "resume_selected",
        "repeat_selected",
        "archive_selected",
        "unarchive_selected",
        "rebuild_selected",
        "delete_finished",
    ]
    inlines = [TagInline]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fields = [field.name for field in Simulation._meta.concrete_fields if field.name != "id"]
        return [*self.LINKS, *(f for f in fields if f not in self.EDITABLE)]

    def save_model(self, request: HttpRequest, obj: Simulation, form: Any, change: bool) -> None:
        # Only these columns: a run may have moved on since the row was read.
        obj.save(update_fields=self.EDITABLE)

    @admin.display(description="progress", ordering="rounds_done")
    def percent(self, row: Simulation) -> str:
        return f"{row.progress:.0%}"

    @admin.display(description="run")
    def page(self, row: Simulation) -> SafeString:
        return page_link(row)

    @admin.display(description="strategies")
    def strategies_link(self, row: Simulation) -> SafeString:
        return related(StrategyRun, row.num_of_strategies, simulation__id__exact=row.pk)

    @admin.display(description="events")
    def events_link(self, row: Simulation) -> SafeString:
        return related(RunEvent, "history", simulation__id__exact=row.pk)


@admin.register(SimulationTag)
class SimulationTagAdmin(RecordedAdmin):
    """Labels and the simulations that have them; they change with their simulation."""

    list_display = ["name", "simulation_link"]
    list_select_related = ["simulation"]
    search_fields = ["name", "simulation__simulation_id"]

    @admin.display(description="simulation", ordering="simulation__simulation_id")
    def simulation_link(self, tag: SimulationTag) -> SafeString:
        return change_link(tag.simulation, tag.simulation)


@admin.register(RunEvent)
class RunEventAdmin(RecordedAdmin):
    """What happened, newest first."""

    list_display = ["id", "simulation_link", "kind", "payload", "created_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["simulation"]
    search_fields = ["simulation__simulation_id", "kind"]
    ordering = ["-id"]
    sortable_by = ["id"]

    @admin.display(description="simulation")
    def simulation_link(self, event: RunEvent) -> SafeString:
        return change_link(event.simulation, event.simulation)
