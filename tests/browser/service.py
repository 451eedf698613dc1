"""The service as its users start it, in a folder and database of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Page

from intellifl.environment import ROOT
from tests.servers import LOOPBACK, eventually, free_port

NAME, PASSWORD = "ada", "correct horse battery"
QUICK: dict[str, Any] = {
    "aggregation_strategy_keyword": "krum",
    "num_of_malicious_clients": 2,
    "dataset_keyword": "digits",
    "model_keyword": "mlp",
    "num_of_rounds": 4,
    "num_of_clients": 8,
    "batch_size": 32,
    "remove_clients": True,
    "save_attack_snapshots": True,
    "training_device": "cpu",
    "seed": 1,
    "tags": ["paper"],
    "attack_schedule": [
        {
            "attack_type": attack,
            "start_round": 2,
            "end_round": 3,
            "selection_strategy": "specific",
            "malicious_client_ids": [client],
            **settings,
        }
        for client, attack, settings in (
            (1, "label_flipping", {}),
            (5, "gaussian_noise", {"target_noise_snr": 0.1, "attack_ratio": 1.0}),
        )
    ],
}


@dataclass
class Service:
    """A server with its queue; `origin` is where it answers."""

    origin: str

    def submit(self, **changes: Any) -> str:
        """Submit a run like QUICK; return its id."""
        body = json.dumps({**QUICK, **changes}).encode()
        headers = {"Content-Type": "application/json"}
        told = self._ask(Request(f"{self.origin}/api/simulations", body, headers))
        return str(told["simulation_id"])

    def status(self, simulation_id: str) -> str:
        path = f"{self.origin}/api/simulations/{simulation_id}/status"
        return str(self._ask(Request(path))["status"])

    def wait(self, simulation_id: str, status: str = "completed") -> None:
        eventually(lambda: self.status(simulation_id) == status, 120)

    def _ask(self, request: Request) -> dict[str, Any]:
        with urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))


@contextmanager
def running(folder: Path, **variables: str) -> Iterator[Service]:
    """Start `manage.py dev` with one user of staff; end it afterwards."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "INTELLIFL_OUT_DIR": str(folder / "out"),
        "INTELLIFL_DATA_DIR": str(ROOT / "data"),
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        **variables,
    }
    _manage(environment, "migrate", "--verbosity", "0")
    _manage(
        environment,
        "createsuperuser",
        "--noinput",
        "--username",
        NAME,
        "--email",
        "ada@example.org",
    )
    port = free_port()
    with (folder / "service.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "dev", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            origin = f"http://{LOOPBACK}:{port}"
            eventually(lambda: _answers(origin))
            yield Service(origin)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def sign_in(page: Page) -> None:
    page.goto("/login/?next=/simulations/")
    page.fill("input[name=username]", NAME)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/simulations/")


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)


def _answers(origin: str) -> bool:
    try:
        with urlopen(f"{origin}/api/health", timeout=5):
            return True
    except OSError:
        time.sleep(0.1)
        return False
