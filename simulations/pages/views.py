"""The page of one simulation, rendered on the server."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from simulations import lifecycle, result_files, selectors, services
from simulations.artifacts import folder
from simulations.models import ACTIVE, Simulation, StrategyRun
from simulations.pages import tables
from simulations.pages.round_charts import round_charts

REFRESH_S = 5


@require_safe
def simulation_detail(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Show one simulation: its state, measurements, figures, files and configuration."""
    row = _simulation(simulation_id)
    files = result_files.listed(folder.run_dir(simulation_id))
    context: dict[str, Any] = {
        "simulation": row,
        "tags": selectors.tags_of(row),
        "is_active": row.status in ACTIVE,
        "is_resumable": services.is_resumable(row),
        "refresh_s": REFRESH_S if row.status in ACTIVE else None,
        "total_rounds": selectors.total_rounds(row),
        "strategies": [
            _strategy(run, selectors.rounds_of(run)) for run in selectors.strategies_of(row)
        ],
        "figures": [name for name in files if name.startswith("plots/") and name.endswith(".png")],
        "files": files,
        "has_folder": folder.run_dir(simulation_id).is_dir(),
        "queue_position": selectors.queue_position(row),
        "config": json.dumps(row.config, indent=2, ensure_ascii=False),
    }
    return render(request, "simulations/detail.html", context)


def _strategy(run: StrategyRun, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {"run": run, "table": tables.rounds(rounds), "charts": round_charts(run, rounds)}


@require_POST
def stop(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Stop a simulation and show it again."""
    row = _simulation(simulation_id)
    try:
        row = services.stop(row)
    except services.NotAllowed as error:
        messages.error(request, f"Not stopped: {error}.")
    else:
        is_over = lifecycle.is_finished(row)
        messages.success(request, "Stopped." if is_over else "Stopping; it has not ended yet.")
    return redirect("simulations:detail", simulation_id=simulation_id)


@require_POST
def resume(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Queue a failed or stopped simulation again and show it."""
    row = _simulation(simulation_id)
    try:
        services.resume(row)
    except services.NotAllowed as error:
        messages.error(request, f"Not resumed: {error}.")
    else:
        messages.success(request, "Queued again, to go on after its last checkpoint.")
    return redirect("simulations:detail", simulation_id=simulation_id)


def _simulation(simulation_id: str) -> Simulation:
    try:
        return selectors.simulation(simulation_id)
    except (selectors.InvalidSimulationId, selectors.UnknownSimulation) as error:
        raise Http404(str(error)) from error
