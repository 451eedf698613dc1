from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from simulations import services
from simulations.fl.errors import ConfigError
from simulations.management import config_source
from simulations.management.script import Exit, Script


class Command(Script):
    help = "Check a configuration without running it; everything that is wrong, one line each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("config", help="a JSON file, or - for standard input")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            config = services.check(config_source.load(options["config"]))
        except ConfigError as error:
            if not options["json"]:
                self.quit(Exit.INVALID, *error.errors)
            self.data(json.dumps({"valid": False, "errors": error.errors}))
            sys.exit(Exit.INVALID)
        if options["json"]:
            self.data(json.dumps({"valid": True, "warnings": list(config.warnings)}))
        else:
            self.say_all(f"warning: {warning}" for warning in config.warnings)
            self.data("valid")
