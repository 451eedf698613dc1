"""What a request asks of the page: the simulation, and what its address chooses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.http import Http404, QueryDict

from simulations import selectors
from simulations.artifacts import folder
from simulations.models import ACTIVE, Simulation, StrategyRun

MAX_TEXT = 200


@dataclass(frozen=True)
class Asked:
    """A simulation with its strategies, and the query of the address."""

    row: Simulation
    runs: list[StrategyRun]
    query: QueryDict

    @property
    def is_active(self) -> bool:
        return self.row.status in ACTIVE

    @property
    def run_dir(self) -> Path:
        return folder.run_dir(self.row.simulation_id)

    @cached_property
    def run(self) -> StrategyRun:
        """The strategy that is shown: the one asked for, else the one that runs, else the first."""
        wanted = self.number("strategy", -1)
        usual = self.row.current_strategy if self.is_active else 0
        by_number = {run.number: run for run in self.runs}
        return by_number.get(wanted) or by_number.get(usual) or self.runs[0]

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query; `default` where there is none."""
        given = self.query.get(name, "")
        return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else default

    def text(self, name: str) -> str:
        return self.query.get(name, "").replace("\0", "")[:MAX_TEXT]


def asked(simulation_id: str, query: QueryDict) -> Asked:
    """Look the simulation up in two queries; raise Http404."""
    row = found(simulation_id)
    return Asked(row, selectors.strategies_of(row), query)


def found(simulation_id: str) -> Simulation:
    try:
        return selectors.simulation(simulation_id)
    except (selectors.InvalidSimulationId, selectors.UnknownSimulation) as error:
        raise Http404(str(error)) from error
