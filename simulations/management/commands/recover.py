from __future__ import annotations

from typing import Any

from simulations import recovery
from simulations.management.script import Script


class Command(Script):
    help = "End simulations whose supervisor is dead: their processes, and their rows as failed."

    def handle(self, *args: Any, **options: Any) -> None:
        recovered = recovery.recover()
        for one in recovered:
            self.data(f"{one.simulation_id}\t{one.status}\t{one.reason}")
        if not recovered:
            self.say("Nothing to recover.")
