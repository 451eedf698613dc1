from __future__ import annotations

import json
import secrets
import signal
import sys
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from intellifl import addresses
from intellifl.environment import PREFIX, ROOT
from simulations import processes, recovery, services
from simulations.fl.errors import FLError
from simulations.management import config_source
from simulations.management.script import Exit, Script
from simulations.models import Simulation
from simulations.processes import Child

QUICKSTART = ROOT / "examples" / "quickstart.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_S = 60.0
STOP_S = 9.0
LOOK_S = 0.1
STDERR = 2


class Command(Script):
    help = "Start the server and the local queue, and stop both on Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
        parser.add_argument("--port", type=addresses.port, default=8000, help="default 8000")
        parser.add_argument(
            "--quickstart", action="store_true", help="submit an example when nothing was run yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        problem = addresses.why_unusable(host, port)
        if problem is not None:
            self.quit(Exit.UNAVAILABLE, problem)
        self._migrate()
        self._is_stop_asked = False
        self._token = secrets.token_hex(16)
        for number in SIGNALS:
            signal.signal(number, self._ask_to_stop)
        children = {"server": self._start_server(host, port), "local queue": self._start_queue()}
        try:
            fault = self._serve(children, host, port, options["quickstart"])
        finally:
            self._stop(children)
        if fault is not None:
            self.quit(Exit.FAILED, fault)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stop_asked = True

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)
        connection.close()

    def _start_server(self, host: str, port: int) -> Child:
        variables = {}
        if not addresses.is_loopback(host):
            variables[f"{PREFIX}REQUIRE_AUTH"] = "1"
            variables[f"{PREFIX}ALLOWED_HOSTS"] = json.dumps([*settings.ALLOWED_HOSTS, host])
            self.say(f"{host} can be reached by others: every page and route asks for a login.")
            self.say(f"Names it is reached by belong into {PREFIX}ALLOWED_HOSTS.")
        command = [sys.executable, "-m", "intellifl.server", "-b", host, "-p", str(port)]
        application = "intellifl.asgi:application"
        return self._spawn([*command, application], variables)

    def _start_queue(self) -> Child:
        return self._spawn([sys.executable, str(ROOT / "manage.py"), "run_queue"], {})

    def _spawn(self, command: list[str], variables: dict[str, str]) -> Child:
        # What the children print are messages; standard output is for the addresses.
        return processes.spawn(command, self._token, stdout=STDERR, cwd=ROOT, variables=variables)

    def _serve(
        self, children: dict[str, Child], host: str, port: int, quickstart: bool
    ) -> str | None:
        """Watch over the children; return why one ended, or None when asked to stop."""
        deadline = time.monotonic() + START_S
        is_up = False
        while not self._is_stop_asked:
            for name, child in children.items():
                if child.poll() is not None:
                    return f"The {name} ended by itself with exit code {child.returncode}."
            if not is_up and addresses.answers(host, port):
                is_up = True
                self._welcome(host, port, quickstart)
            if not is_up and time.monotonic() > deadline:
                return f"The server did not answer within {START_S:g} s."
            time.sleep(LOOK_S)
        return None

    def _welcome(self, host: str, port: int, quickstart: bool) -> None:
        if quickstart and not Simulation.objects.exists():
            self._submit_quickstart()
        connection.close()
        root = addresses.url(host, port)
        self.data(f"Simulations  {root}/")
        self.data(f"API docs     {root}/docs")
        self.data(f"Admin        {root}/admin/")

    def _submit_quickstart(self) -> None:
        try:
            simulation = services.create(config_source.load(str(QUICKSTART))).simulation
        except FLError as error:
            self.say(f"The example cannot run: {error}")
        else:
            self.say(f"Submitted the example as {simulation.simulation_id}.")

    def _stop(self, children: dict[str, Child]) -> None:
        """Ask both children at once, so that they need the time of one; leave no process."""
        for child in children.values():
            processes.terminate(child)
        deadline = time.monotonic() + STOP_S
        while any(child.poll() is None for child in children.values()):
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_S)
        processes.kill(self._token)
        for child in children.values():
            child.wait()
        # Only a queue that had to be killed leaves something to do.
        recovery.recover()
