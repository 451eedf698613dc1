"""Charts of one strategy, round by round: of the whole, and of chosen clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from simulations import selectors
from simulations.fl.detection import Detection
from simulations.models import StrategyRun
from simulations.pages import tables
from simulations.pages.charts import Series
from simulations.pages.run import client_curves
from simulations.pages.run.asked import Asked
from simulations.pages.run.plots import Plot, windows
from simulations.pages.run.plots import context as plot_context

Rows = Sequence[dict[str, Any]]
OF_ROUNDS = {
    "accuracy": (
        "Accuracy",
        {"global_accuracy": "global test set", "average_accuracy": "benign clients"},
    ),
    "loss": ("Loss", {"global_loss": "global test set", "aggregated_loss": "clients"}),
    "attack_success": ("Attack success rate", {"attack_success_rate": "attack success rate"}),
    "removal_counts": (
        "Clients aggregated or kept out",
        {
            "tp": "benign, aggregated",
            "fp": "malicious, aggregated",
            "fn": "benign, kept out",
            "tn": "malicious, kept out",
        },
    ),
    "seconds": ("Seconds", {"round_seconds": "round"}),
}
RATES_TITLE = "Rates of removal (positive is kept)"
RATES = ("accuracy", "precision", "recall", "f1")


def context(about: Asked) -> dict[str, Any]:
    rows = selectors.rounds_of(about.run)
    shown = client_curves.shown(about)
    return {
        "table": tables.rounds(list(rows)),
        "clients_shown": client_curves.as_text(shown),
        **plot_context(_plots(about, rows, shown), about),
    }


def plots(about: Asked) -> list[Plot]:
    """Return the charts of which something was measured, in three queries."""
    return _plots(about, selectors.rounds_of(about.run), client_curves.shown(about))


def _plots(about: Asked, rows: Rows, shown: Sequence[int]) -> list[Plot]:
    run = about.run
    every = [*_of_rounds(run, rows), *client_curves.plots(run, rows, shown)]
    return [plot for plot in every if plot.is_measured]


def _of_rounds(run: StrategyRun, rows: Rows) -> Iterable[Plot]:
    rounds, shaded = [row["round_number"] for row in rows], windows(run)
    for name, (title, columns) in OF_ROUNDS.items():
        series = [
            Series(label, rounds, [row[column] for row in rows])
            for column, label in columns.items()
        ]
        yield Plot(name, title, rounds, series, shaded)
    if run.config.get("remove_clients"):
        yield Plot("removal_rates", RATES_TITLE, rounds, _rates(rows, rounds), shaded)


def _rates(rows: Rows, rounds: list[int]) -> list[Series]:
    counts = [[row[name] for name in ("tp", "tn", "fp", "fn")] for row in rows]
    found = [None if None in row else Detection(*row) for row in counts]
    return [
        Series(rate, rounds, [None if one is None else getattr(one, rate) for one in found])
        for rate in RATES
    ]
