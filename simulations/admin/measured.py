"""What was measured of rounds and of clients: up to millions of rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from simulations.admin.recorded import RecordedAdmin, change_link, related
from simulations.models import ClientRound, RoundMetrics, StrategyRun


class MeasuredAdmin(RecordedAdmin):
    """Rows of one strategy; sorted only by what an index sorts."""

    list_select_related = ["strategy_run__simulation"]
    search_fields = ["strategy_run__simulation__simulation_id"]
    search_help_text = "Id or name of a simulation, or the keyword of a strategy."
    sortable_by = ["strategy_link"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        large = ("config", "warnings", "notes", "error")
        return (
            super()
            .get_queryset(request)
            .defer(
                "strategy_run__config",
                "strategy_run__client_sizes",
                *(f"strategy_run__simulation__{column}" for column in large),
            )
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look among the strategies first: there are fewer, and an index leads on from them."""
        if not search_term:
            return queryset, False
        runs = StrategyRun.objects.filter(
            Q(simulation__simulation_id__icontains=search_term)
            | Q(simulation__display_name__icontains=search_term)
            | Q(keyword=search_term)
        )
        return queryset.filter(strategy_run__in=runs.order_by().values("pk")), False

    @admin.display(description="strategy", ordering="strategy_run__id")
    def strategy_link(self, row: Any) -> SafeString:
        run = row.strategy_run
        return change_link(run, f"{run.simulation} · {run.name}")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        own = lookup == "strategy_run__id__exact"
        return own or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]


@admin.register(RoundMetrics)
class RoundMetricsAdmin(MeasuredAdmin):
    """What was measured of rounds."""

    list_display = [
        "strategy_link",
        "round_number",
        "clients_link",
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
        "recorded_at",
    ]
    list_filter = ["strategy_run__keyword", "recorded_at"]

    @admin.display(description="clients")
    def clients_link(self, row: RoundMetrics) -> SafeString:
        filters = {"strategy_run__id__exact": row.strategy_run_id, "round_number": row.round_number}
        return related(ClientRound, "clients", **filters)


@admin.register(ClientRound)
class ClientRoundAdmin(MeasuredAdmin):
    """What was measured of clients in rounds."""

    list_display = [
        "strategy_link",
        "round_link",
        "client_id",
        "loss",
        "accuracy",
        "participated",
        "is_malicious",
        "is_removed",
        "removal_criterion",
        "num_examples",
        "train_seconds",
    ]
    list_filter = ["is_malicious", "is_removed", "participated", "strategy_run__keyword"]

    @admin.display(description="round")
    def round_link(self, row: ClientRound) -> SafeString:
        filters = {"strategy_run__id__exact": row.strategy_run_id, "round_number": row.round_number}
        return related(RoundMetrics, row.round_number, **filters)
