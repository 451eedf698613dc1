"""Real workers with small engines, and messages for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil

from intellifl.celery import app
from simulations.dispatch import RUN
from tests.servers import Valkey

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "tests" / "worker_process.py"
QUEUE = app.conf.task_default_queue


class Worker:
    """A worker process and what it has logged."""

    def __init__(self, engine: list[str], log: Path, *options: str) -> None:
        self._log = log
        with log.open("wb") as output:
            command = [sys.executable, str(SCRIPT), json.dumps(engine), *options]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def pool(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def end(self, number: int = signal.SIGTERM, within_s: float = 60.0) -> None:
        """Send the signal and wait until the worker has ended."""
        self.process.send_signal(number)
        self.process.wait(within_s)


class Engine:
    """A small engine that writes down each of its starts."""

    def __init__(self, command: list[str], starts: Path) -> None:
        self.command = command
        self._starts = starts

    def starts(self) -> list[tuple[str, int]]:
        """Return the run's folder and the pid of each start."""
        if not self._starts.exists():
            return []
        lines = self._starts.read_text().splitlines()
        return [(line.split()[0], int(line.split()[1])) for line in lines]


def in_django(code: str) -> str:
    """Run the code in a process of its own, with the database of the environment."""
    imports = """
        import django; django.setup()
        from django.core.management import call_command
        from simulations import services
        from simulations.models import Simulation
    """
    script = textwrap.dedent(imports) + textwrap.dedent(code)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "intellifl.settings"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def publish(valkey: Valkey, arguments: list[Any], name: str = RUN) -> None:
    """Publish as any Celery client would, without asking whether somebody listens."""
    with app.connection_for_write(valkey.url) as connection:
        app.send_task(name, args=arguments, connection=connection, ignore_result=True)


def spoil(valkey: Valkey, changes: dict[str, Any]) -> None:
    """Publish a well-formed envelope with something wrong in it."""
    client, spoilt = valkey.client(), "spoilt"
    with app.connection_for_write(valkey.url) as connection:
        app.send_task(RUN, args=[1, 0], connection=connection, queue=spoilt)
    message = client.rpop(spoilt)
    assert isinstance(message, str)
    envelope = json.loads(message)
    client.lpush(QUEUE, json.dumps({**envelope, **changes}))
