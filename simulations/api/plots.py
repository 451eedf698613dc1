"""The data behind the charts, and what attacks did to samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Router
from ninja.errors import HttpError

from simulations import selectors
from simulations.api.json_response import json_response, json_stream
from simulations.artifacts import folder
from simulations.fl.snapshots import reader
from simulations.models import Simulation, StrategyRun
from simulations.plot_data import plot_data, written

router = Router(tags=["Visualizations"])
WHOLE = 10_000
"""What has more clients times rounds is streamed, and has no ETag."""
NO_ROUND = "No round of this simulation has finished yet."


@router.get("/simulations/{simulation_id}/plot-data", response=dict[str, Any])
def get_plot_data(request: HttpRequest, simulation_id: str) -> HttpResponseBase:
    """The histories of the first strategy, with the rounds finished so far."""
    row = selectors.simulation(simulation_id)
    strategy = selectors.strategy_with_rounds(row)
    if strategy is None:
        raise HttpError(404, NO_ROUND)
    if _is_large(row):
        return json_stream(request, written(strategy))
    return json_response(plot_data(strategy))


@router.get("/simulations/{simulation_id}/all-plot-data", response=dict[str, Any])
def get_all_plot_data(request: HttpRequest, simulation_id: str) -> HttpResponseBase:
    """The histories of every strategy that has finished a round."""
    row = selectors.simulation(simulation_id)
    strategies = selectors.strategies_with_rounds(row)
    if not strategies:
        raise HttpError(404, NO_ROUND)
    if _is_large(row):
        return json_stream(request, _all_written(strategies))
    data = [{"strategy_number": one.number, "data": plot_data(one)} for one in strategies]
    return json_response({"strategies": data})


def _is_large(row: Simulation) -> bool:
    return row.num_of_clients * row.rounds_done > WHOLE


def _all_written(strategies: Iterable[StrategyRun]) -> Iterator[str]:
    opening = '{"strategies":['
    for strategy in strategies:
        yield f'{opening}{{"strategy_number":{strategy.number},"data":'
        yield from written(strategy)
        opening = "},"
    yield "}]}"


@router.get("/simulations/{simulation_id}/attack-snapshots", response=dict[str, Any])
def get_attack_snapshots(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """What attacks did to samples and updates; the paths are those of result files."""
    row = selectors.simulation(simulation_id)
    return json_response(reader.read(folder.run_dir(row.simulation_id)))
