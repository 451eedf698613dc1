"""The numbers behind a chart as a file for spreadsheets."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from simulations.pages.run import metrics, strategies
from simulations.pages.run.asked import asked

PLOTS = {"metrics": metrics.plots, "strategies": strategies.plots}


@require_safe
def plot_csv(request: HttpRequest, simulation_id: str, tab: str, name: str) -> HttpResponse:
    """Give a chart of a tab, for the strategy and clients of the query, with a line a round."""
    about = asked(simulation_id, request.GET)
    every = PLOTS[tab](about) if tab in PLOTS else []
    plot = next((one for one in every if one.name == name), None)
    if plot is None:
        raise Http404("There is no such chart, or nothing of it was measured yet.")
    response = HttpResponse(plot.as_csv(), content_type="text/csv; charset=utf-8")
    part = f"_{about.run.number}" if tab == "metrics" else ""
    file_name = f"{simulation_id}{part}_{name}.csv"
    response["Content-Disposition"] = content_disposition_header(True, file_name) or "attachment"
    return response
