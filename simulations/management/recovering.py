"""What the commands that tidy up before they work have in common."""

from __future__ import annotations

from simulations import services
from simulations.fl.errors import StorageError
from simulations.management.script import Script


class Recovering(Script):
    """Imports folders without a row and tells of each."""

    def import_folders(self) -> None:
        try:
            self.say_all(map(str, services.import_folders()))
        except StorageError as error:
            self.say(f"Folders could not be imported: {error}.")
