from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from simulations import services
from simulations.fl.errors import ConfigError, StorageError
from simulations.management import config_source
from simulations.management.foreground import Foreground
from simulations.management.script import Exit
from simulations.models import Simulation
from simulations.process_identity import this_process


class Command(Foreground):
    help = (
        "Run a simulation here and now, and print its results. Ctrl-C stops it gracefully, "
        "a second Ctrl-C at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("config", help="a JSON file, or - for standard input")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="change a setting, for example num_of_rounds=3 or shared_settings.seed=1",
        )
        self.add_output_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        token = secrets.token_hex(16)
        simulation = self._submit(options["config"], options["set"], token)
        self.run(simulation, token, as_json=options["json"], is_quiet=options["quiet"])

    def _submit(self, source: str, assignments: list[str], token: str) -> Simulation:
        try:
            raw = config_source.load(source, assignments)
            claim = services.Claim(token, this_process())
            return services.create(raw, prefix="cli_run", claim=claim).simulation
        except ConfigError as error:
            self.quit(Exit.INVALID, *error.errors)
        except StorageError as error:
            self.quit(Exit.UNAVAILABLE, str(error))
