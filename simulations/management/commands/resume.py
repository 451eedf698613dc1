from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from simulations import selectors, services
from simulations.management.foreground import Foreground
from simulations.management.script import Exit
from simulations.models import Simulation
from simulations.process_identity import this_process


class Command(Foreground):
    help = (
        "Go on with failed or stopped simulations after their last checkpoint: one here and now, "
        "or with --queue any number by the server's queue or workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("simulation_id", nargs="+")
        parser.add_argument("--queue", action="store_true", help="queue them instead")
        self.add_output_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options["simulation_id"]
        if options["queue"]:
            self._queue(ids)
            return
        if len(ids) > 1:
            self.quit(Exit.INVALID, "Only one can be resumed here; --queue takes several.")
        token = secrets.token_hex(16)
        simulation = self._resumed(ids[0], services.Claim(token, this_process()))
        self.run(simulation, token, as_json=options["json"], is_quiet=options["quiet"])

    def _queue(self, ids: list[str]) -> None:
        for simulation_id in ids:
            self._resumed(simulation_id, None)
            self.data(simulation_id)

    def _resumed(self, simulation_id: str, claim: services.Claim | None) -> Simulation:
        try:
            return services.resume(selectors.simulation(simulation_id), claim=claim)
        except (selectors.UnknownSimulation, selectors.InvalidSimulationId) as error:
            self.quit(Exit.NOT_FOUND, str(error))
        except services.NotAllowed as error:
            self.quit(Exit.FAILED, f"{simulation_id} is not resumed: {error}.")
