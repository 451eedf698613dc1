from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from simulations import result_files, selectors
from simulations.artifacts.build import build
from simulations.fl.errors import StorageError
from simulations.management.script import Exit, Script


class Command(Script):
    help = "Make the files of simulations anew from their rows, with the rounds that are recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("simulation_id", nargs="+")
        parser.add_argument("--quiet", action="store_true", help="do not list the files")

    def handle(self, *args: Any, **options: Any) -> None:
        for simulation_id in options["simulation_id"]:
            names = self._rebuild(simulation_id)
            if not options["quiet"]:
                for name in names:
                    self.data(name)

    def _rebuild(self, simulation_id: str) -> list[str]:
        try:
            simulation = selectors.simulation(simulation_id)
        except (selectors.UnknownSimulation, selectors.InvalidSimulationId) as error:
            self.quit(Exit.NOT_FOUND, str(error))
        try:
            return result_files.listed(build(simulation))
        except StorageError as error:
            self.quit(Exit.FAILED, str(error))
