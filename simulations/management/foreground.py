"""What the commands that run a simulation in the foreground have in common."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import NoReturn

from rich.console import Console

from simulations.attempt import STOPPED, Ending, Options
from simulations.management import run_report
from simulations.management.script import Exit, Script
from simulations.models import Simulation, Status
from simulations.supervisor import supervise

EXITS = {Status.COMPLETED: Exit.OK, Status.STOPPED: Exit.INTERRUPTED}


class Foreground(Script):
    """Supervises a simulation that this process has claimed, and prints its results."""

    _is_stop_asked = False

    def add_output_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--quiet", action="store_true", help="print only the id")

    def run(self, simulation: Simulation, token: str, *, as_json: bool, is_quiet: bool) -> NoReturn:
        """Run the simulation until its status is final; end this process with that as exit code."""
        if not is_quiet:
            self.say(f"{simulation.simulation_id} (seed {simulation.seed})")
            self.say_all(f"warning: {warning}" for warning in simulation.warnings)
        self._supervise(simulation, token, is_silent=is_quiet or as_json)
        simulation.refresh_from_db()
        self._report(simulation, as_json, is_quiet)
        sys.exit(EXITS.get(Status(simulation.status), Exit.FAILED))

    def _supervise(self, simulation: Simulation, token: str, is_silent: bool) -> None:
        silence: AbstractContextManager[run_report.Observe] = nullcontext(lambda event: None)
        shown = silence if is_silent else run_report.shown_progress(simulation)
        with self._stopping(), shown as observe:
            supervise(simulation.pk, token, Options(interrupted=self._wish, observe=observe))

    def _wish(self) -> Ending | None:
        """Return the wish to stop once; the results of a stopped run are built after that."""
        is_asked, self._is_stop_asked = self._is_stop_asked, False
        return STOPPED if is_asked else None

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM ask for a stop, and the next one interrupt at once."""
        self._is_stop_asked = False

        def ask(number: int, frame: FrameType | None) -> None:
            self._is_stop_asked = True
            for each in before:
                signal.signal(each, signal.default_int_handler)

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _report(self, simulation: Simulation, as_json: bool, is_quiet: bool) -> None:
        result = run_report.summary(simulation)
        if simulation.status != Status.COMPLETED:
            self.say(f"{simulation.status}: {simulation.error}".removesuffix(": "))
        if as_json:
            self.data(json.dumps(result))
        elif is_quiet:
            self.data(simulation.simulation_id)
        else:
            Console().print(run_report.table(result))
            self.data(result["folder"])
