"""The data behind the charts, and what attacks did to samples."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from simulations import selectors
from simulations.api.json_response import json_response
from simulations.artifacts import folder
from simulations.fl.snapshots import reader
from simulations.plot_data import plot_data

router = Router(tags=["Visualizations"])
NO_ROUND = "No round of this simulation has finished yet."


@router.get("/simulations/{simulation_id}/plot-data", response=dict[str, Any])
def get_plot_data(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """The histories of the first strategy, with the rounds finished so far."""
    strategy = selectors.strategy_with_rounds(selectors.simulation(simulation_id))
    if strategy is None:
        raise HttpError(404, NO_ROUND)
    return json_response(plot_data(strategy))


@router.get("/simulations/{simulation_id}/all-plot-data", response=dict[str, Any])
def get_all_plot_data(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """The histories of every strategy that has finished a round."""
    strategies = selectors.strategies_with_rounds(selectors.simulation(simulation_id))
    if not strategies:
        raise HttpError(404, NO_ROUND)
    return json_response(
        {
            "strategies": [
                {"strategy_number": strategy.number, "data": plot_data(strategy)}
                for strategy in strategies
            ]
        }
    )


@router.get("/simulations/{simulation_id}/attack-snapshots", response=dict[str, Any])
def get_attack_snapshots(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """What attacks did to samples and updates; the paths are those of result files."""
    row = selectors.simulation(simulation_id)
    return json_response(reader.read(folder.run_dir(row.simulation_id)))
