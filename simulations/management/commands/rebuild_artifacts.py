from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from simulations import result_files, selectors
from simulations.artifacts.build import build
from simulations.fl.errors import StorageError
from simulations.management.script import Exit, Script


class Command(Script):
    help = "Make a simulation's files anew from its rows, with the rounds that are recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("simulation_id")
        parser.add_argument("--quiet", action="store_true", help="do not list the files")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            simulation = selectors.simulation(options["simulation_id"])
        except (selectors.UnknownSimulation, selectors.InvalidSimulationId) as error:
            self.quit(Exit.NOT_FOUND, str(error))
        try:
            run_dir = build(simulation)
        except StorageError as error:
            self.quit(Exit.FAILED, str(error))
        if not options["quiet"]:
            for name in result_files.listed(run_dir):
                self.data(name)
