from __future__ import annotations

from typing import Any

from simulations import recovery
from simulations.artifacts import folder
from simulations.management.recovering import Recovering


class Command(Recovering):
    help = (
        "Take simulations from dead supervisors: end their processes, mark them failed or, with "
        "INTELLIFL_RESUME=auto, queue them again. Import folders that have no row, and tell "
        "of rows that have no folder."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.import_folders()
        recovered = recovery.recover()
        for one in recovered:
            self.data(f"{one.simulation_id}\t{one.status}\t{one.reason}")
        for simulation_id in folder.without_folder():
            self.say(f"{simulation_id} has no folder; manage.py rebuild_artifacts makes its files.")
        if not recovered:
            self.say("Nothing to recover.")
