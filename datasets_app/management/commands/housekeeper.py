"""Does the short tasks that wait in Redis, such as fetching datasets, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import secrets
import socket
import sys
from typing import Any

from django.core.management.base import BaseCommand

from intellifl.environment import environment
from intellifl.housekeeping import app


class Command(BaseCommand):
    help = "Do the housekeeping tasks that wait in Redis, one at a time, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = app.Worker(
            hostname=f"housekeeper-{secrets.token_hex(4)}@{socket.gethostname()}",
            concurrency=1,
            pool_cls="prefork",
            loglevel=environment().log_level,
            without_gossip=True,
            without_mingle=True,
            quiet=True,
        )
        self.stderr.write("The housekeeper takes tasks, one at a time.")
        worker.start()
        sys.exit(worker.exitcode)
