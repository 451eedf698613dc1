"""The operators' desk: look at everything, rename and annotate, stop and delete by services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from simulations import services
from simulations.fl.errors import StorageError
from simulations.models import (
    ClientRound,
    RoundMetrics,
    RunEvent,
    Simulation,
    SimulationTag,
    StrategyRun,
)

STOP_WAIT_S = 2.0
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[SimulationTag, Simulation]
else:
    AnyAdmin, AnyInline = admin.ModelAdmin, admin.TabularInline


def related(model: type[Model], text: str, **filters: Any) -> SafeString:
    """Return a link to the list of the rows of `model` that `filters` select."""
    url = reverse(f"admin:simulations_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', url, urlencode(filters), text)


class RecordedAdmin(AnyAdmin):
    """Rows that a run recorded: read only, and deleted only with their simulation."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TagInline(AnyInline):
    """The labels of a simulation, which may change."""

    model = SimulationTag
    extra = 0


@admin.register(Simulation)
class SimulationAdmin(RecordedAdmin):
    """Simulations, with what operators may do to them."""

    EDITABLE = ("display_name", "notes")
    list_display = [
        "simulation_id",
        "display_name",
        "status",
        "percent",
        "strategy_names",
        "dataset_keyword",
        "num_of_rounds",
        "num_of_clients",
        "created_at",
        "strategies_link",
    ]
    list_filter = ["status", "dataset_keyword", "engine", "created_at"]
    search_fields = ["simulation_id", "display_name", "strategy_names", "notes", "tags__name"]
    date_hierarchy = "created_at"
    actions = ["stop_selected", "resume_selected", "delete_finished"]
    inlines = [TagInline]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        fields = [field.name for field in Simulation._meta.concrete_fields if field.name != "id"]
        return ["strategies_link", "events_link", *(f for f in fields if f not in self.EDITABLE)]

    def save_model(self, request: HttpRequest, obj: Simulation, form: Any, change: bool) -> None:
        # Only these columns: a run may have moved on since the row was read.
        obj.save(update_fields=self.EDITABLE)

    @admin.display(description="progress", ordering="rounds_done")
    def percent(self, row: Simulation) -> str:
        return f"{row.progress:.0%}"

    @admin.display(description="strategies")
    def strategies_link(self, row: Simulation) -> SafeString:
        return related(StrategyRun, str(row.num_of_strategies), simulation__id__exact=row.pk)

    @admin.display(description="events")
    def events_link(self, row: Simulation) -> SafeString:
        return related(RunEvent, "history", simulation__id__exact=row.pk)

    @admin.action(description="Stop selected simulations", permissions=["change"])
    def stop_selected(self, request: HttpRequest, rows: QuerySet[Simulation]) -> None:
        for row in rows:
            try:
                services.stop(row, wait_s=STOP_WAIT_S)
            except services.NotAllowed as error:
                self.message_user(request, f"{row.simulation_id}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{row.simulation_id}: asked to stop", messages.SUCCESS)

    @admin.action(description="Resume selected simulations", permissions=["change"])
    def resume_selected(self, request: HttpRequest, rows: QuerySet[Simulation]) -> None:
        for row in rows:
            try:
                services.resume(row)
            except services.NotAllowed as error:
                self.message_user(request, f"{row.simulation_id}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{row.simulation_id}: queued", messages.SUCCESS)

    @admin.action(description="Delete selected simulations that are finished, with their files")
    def delete_finished(self, request: HttpRequest, rows: QuerySet[Simulation]) -> None:
        if not request.user.has_perm("simulations.delete_simulation"):
            self.message_user(request, "You may not delete simulations.", messages.ERROR)
            return
        try:
            deleted, failed = services.delete_many(rows.values_list("simulation_id", flat=True))
        except StorageError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.message_user(request, f"Deleted {len(deleted)}.", messages.SUCCESS)
        for one in failed:
            text = f"{one['simulation_id']}: {one['error']}"
            self.message_user(request, text, messages.WARNING)


@admin.register(StrategyRun)
class StrategyRunAdmin(RecordedAdmin):
    """Strategies, with links up to the simulation and down to the rounds."""

    list_display = [
        "name",
        "simulation_link",
        "number",
        "keyword",
        "current_round",
        "total_rounds",
        "final_loss",
        "final_accuracy",
        "rounds_link",
        "clients_link",
    ]
    list_filter = ["keyword", "simulation__status", "simulation__dataset_keyword"]
    list_select_related = ["simulation"]
    search_fields = ["name", "keyword", "simulation__simulation_id", "simulation__display_name"]

    @admin.display(description="simulation", ordering="simulation__simulation_id")
    def simulation_link(self, run: StrategyRun) -> SafeString:
        url = reverse("admin:simulations_simulation_change", args=[run.simulation.pk])
        return format_html('<a href="{}">{}</a>', url, run.simulation)

    @admin.display(description="rounds")
    def rounds_link(self, run: StrategyRun) -> SafeString:
        return related(RoundMetrics, "rounds", strategy_run__id__exact=run.pk)

    @admin.display(description="clients")
    def clients_link(self, run: StrategyRun) -> SafeString:
        return related(ClientRound, "clients", strategy_run__id__exact=run.pk)


class MeasuredAdmin(RecordedAdmin):
    """Rows of one strategy."""

    list_select_related = ["strategy_run__simulation"]
    search_fields = ["strategy_run__simulation__simulation_id", "strategy_run__keyword"]

    @admin.display(description="strategy", ordering="strategy_run__id")
    def strategy_link(self, row: Any) -> SafeString:
        run = row.strategy_run
        url = reverse("admin:simulations_strategyrun_change", args=[run.pk])
        return format_html('<a href="{}">{} · {}</a>', url, run.simulation, run.name)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        own = lookup == "strategy_run__id__exact"
        return own or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]


@admin.register(RoundMetrics)
class RoundMetricsAdmin(MeasuredAdmin):
    """What was measured of rounds."""

    list_display = [
        "strategy_link",
        "round_number",
        "aggregated_loss",
        "average_accuracy",
        "global_accuracy",
        "attack_success_rate",
        "removal_threshold",
        "tp",
        "tn",
        "fp",
        "fn",
        "round_seconds",
    ]
    list_filter = ["strategy_run__keyword", "recorded_at"]


@admin.register(ClientRound)
class ClientRoundAdmin(MeasuredAdmin):
    """What was measured of clients in rounds."""

    list_display = [
        "strategy_link",
        "round_number",
        "client_id",
        "loss",
        "accuracy",
        "participated",
        "is_malicious",
        "is_removed",
        "removal_criterion",
        "num_examples",
    ]
    list_filter = ["is_malicious", "is_removed", "participated", "strategy_run__keyword"]


@admin.register(SimulationTag)
class SimulationTagAdmin(RecordedAdmin):
    """Labels and the simulations that have them."""

    list_display = ["name", "simulation"]
    list_select_related = ["simulation"]
    search_fields = ["name", "simulation__simulation_id"]


@admin.register(RunEvent)
class RunEventAdmin(RecordedAdmin):
    """What happened, newest first."""

    list_display = ["id", "simulation", "kind", "payload", "created_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["simulation"]
    search_fields = ["simulation__simulation_id", "kind"]
    ordering = ["-id"]
