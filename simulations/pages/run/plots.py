"""A chart as data: drawn on the server, drawn by a script, or given as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from simulations.models import StrategyRun
from simulations.pages.charts import Chart, Series, line_chart
from simulations.pages.run.asked import Asked
from simulations.spreadsheet import inert

Window = tuple[str, int, int]


@dataclass(frozen=True)
class Plot:
    """Lines over rounds; `name` is part of addresses, `windows` are (attack, first, last round)."""

    name: str
    title: str
    rounds: Sequence[int]
    series: Sequence[Series]
    windows: Sequence[Window] = ()

    @property
    def chart(self) -> Chart | None:
        """The chart as the server draws it; None where nothing finite was measured."""
        last = max(self.rounds, default=0)
        begun = [(name, first, min(end, last)) for name, first, end in self.windows]
        return line_chart(self.title, self.series, [one for one in begun if one[1] <= last])

    @property
    def is_measured(self) -> bool:
        return any(value is not None for one in self.series for value in one.values)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "rounds": self.rounds,
            "windows": self.windows,
            "series": [
                {"name": one.name, "role": one.role, "values": one.values} for one in self.series
            ],
        }

    def as_csv(self) -> str:
        """Return a column of rounds and one for each line; empty where nothing was measured."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["round", *(inert(one.name) for one in self.series)])
        columns = [one.values for one in self.series]
        writer.writerows(zip(self.rounds, *columns, strict=True))
        return text.getvalue()


def windows(run: StrategyRun) -> list[Window]:
    """Return the attacks of a strategy, each once."""
    entries = run.config.get("attack_schedule") or ()
    every = ((one["attack_type"], one["start_round"], one["end_round"]) for one in entries)
    return list(dict.fromkeys(every))


def attackers(run: StrategyRun) -> list[int]:
    """Return the clients that attack in some round, as the resolved settings name them."""
    entries = run.config.get("attack_schedule") or ()
    return sorted({client for one in entries for client in one.get("selected_client_ids") or ()})


def context(measured: Sequence[Plot], about: Asked) -> dict[str, Any]:
    """Return what the templates and scripts need to draw the charts."""
    clients = about.text("clients")
    chosen = {"strategy": about.run.number, **({"clients": clients} if clients else {})}
    return {
        "plots_query": urlencode(chosen),
        "plots": measured,
        "plots_json": [plot.as_json() for plot in measured],
        "shaded": list(dict.fromkeys(window for plot in measured for window in plot.windows)),
    }
