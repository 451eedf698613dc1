"""Several simulations on one page."""

from __future__ import annotations

import csv
import io

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from simulations import comparison
from simulations.comparison import CURVES, Compared
from simulations.pages.charts import Series, line_chart
from simulations.pages.dashboard import MAX_COMPARED
from simulations.spreadsheet import inert


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show what differs between the simulations `ids`, and what came out."""
    ids = _ids(request)
    strategies = comparison.compared(ids)
    known = {one.simulation.simulation_id for one in strategies}
    context = {
        "ids": ids,
        "unknown": [one for one in ids if one not in known],
        "limit": MAX_COMPARED,
        "strategies": strategies,
        "differences": comparison.differences(strategies),
        "groups": _groups(strategies),
        "measures": CURVES.values(),
        "charts": [chart for name in CURVES if (chart := _chart(name, strategies))],
        "query": f"ids={','.join(ids)}",
    }
    return render(request, "simulations/compare.html", context)


@require_safe
def compare_csv(request: HttpRequest) -> HttpResponse:
    """Give the curves of all strategies in one table, one line a round."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["simulation_id", "strategy_number", "strategy", "seed", "round", *CURVES])
    for one in comparison.compared(_ids(request)):
        about = [one.simulation.simulation_id, one.run.number, one.run.name, one.run.config["seed"]]
        for place, number in enumerate(one.rounds):
            values = [one.curves[name][place] for name in CURVES]
            writer.writerow([*map(inert, about), number, *values])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="comparison.csv"'
    return response


def _ids(request: HttpRequest) -> list[str]:
    given = request.GET.get("ids", "").replace("\0", "").split(",")
    return list(dict.fromkeys(one.strip()[:64] for one in given if one.strip()))[:MAX_COMPARED]


def _chart(name: str, strategies: list[Compared]) -> object:
    series = [Series(one.label, one.rounds, one.curves[name]) for one in strategies]
    return line_chart(CURVES[name], series)


def _groups(strategies: list[Compared]) -> list[dict[str, object]]:
    return [
        {
            "label": group.label,
            "count": len(group.members),
            "finals": [group.finals[name] for name in CURVES],
        }
        for group in comparison.groups(strategies)
    ]
