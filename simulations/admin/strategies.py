"""The strategies of simulations."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from simulations.admin.recorded import RecordedAdmin, change_link, page_link, related
from simulations.models import ClientRound, RoundMetrics, StrategyRun


@admin.register(StrategyRun)
class StrategyRunAdmin(RecordedAdmin):
    """Strategies, with links up to the simulation and down to the rounds."""

    LINKS = ("simulation_link", "page", "rounds_link", "clients_link")
    unneeded = ("config", "client_sizes")
    list_display = [
        "name",
        "simulation_link",
        "number",
        "keyword",
        "current_round",
        "total_rounds",
        "final_loss",
        "final_accuracy",
        "started_at",
        "finished_at",
        "rounds_link",
        "clients_link",
        "page",
    ]
    list_filter = ["keyword", "simulation__status", "simulation__dataset_keyword"]
    list_select_related = ["simulation"]
    search_fields = ["name", "keyword", "simulation__simulation_id", "simulation__display_name"]
    readonly_fields = LINKS

    @admin.display(description="simulation", ordering="simulation__simulation_id")
    def simulation_link(self, run: StrategyRun) -> SafeString:
        return change_link(run.simulation, run.simulation)

    @admin.display(description="run")
    def page(self, run: StrategyRun) -> SafeString:
        return page_link(run.simulation)

    @admin.display(description="rounds")
    def rounds_link(self, run: StrategyRun) -> SafeString:
        return related(RoundMetrics, "rounds", strategy_run__id__exact=run.pk)

    @admin.display(description="clients")
    def clients_link(self, run: StrategyRun) -> SafeString:
        return related(ClientRound, "clients", strategy_run__id__exact=run.pk)
