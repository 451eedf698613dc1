"""Runs simulations that wait in Redis, on this machine, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from intellifl.celery import app
from intellifl.environment import environment
from simulations import recovery
from simulations.management.recovering import Recovering
from simulations.management.script import Exit
from simulations.process_identity import host

MAX_CONCURRENCY = 64


class Command(Recovering):
    help = (
        "Run simulations that wait in Redis until SIGTERM or Ctrl-C; what runs then is "
        "interrupted, what waits keeps waiting."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=environment().concurrency,
            help="Simulations to run at once (default: INTELLIFL_CONCURRENCY).",
        )

    def handle(self, *, concurrency: int, **options: Any) -> None:
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            message = f"--concurrency must be 1 to {MAX_CONCURRENCY}, not {concurrency}."
            self.quit(Exit.INVALID, message)
        self.import_folders()
        self._recover()
        # Without gossip and mingle: workers have nothing to say to each other.
        worker = app.Worker(
            hostname=f"worker-{secrets.token_hex(4)}@{host()}",
            concurrency=concurrency,
            pool_cls="prefork",
            loglevel=environment().log_level,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        self.say(f"The worker takes simulations, {concurrency} at a time.")
        try:
            worker.start()
        finally:
            self._recover()
        sys.exit(worker.exitcode)

    def _recover(self) -> None:
        """End what dead processes left, this worker's own included."""
        for recovered in recovery.recover():
            self.say(str(recovered))
