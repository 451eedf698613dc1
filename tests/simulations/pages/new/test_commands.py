"""The texts to copy do what they say, as they stand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from intellifl.environment import ROOT
from simulations.models import Simulation
from simulations.pages.new.commands import Command, commands

CONFIG: dict[str, Any] = {
    "shared_settings": {
        "notes": "it's \"quoted\", $HOME `ls` \\n\nJSON\n'''\nüber {braces}",
        "dataset_keyword": "digits",
        "num_of_rounds": 1,
        "save_plots": False,
        "_why": None,
    },
    "simulation_strategies": [{"aggregation_strategy_keyword": "fedavg", "learning_rate": 1e-7}],
}


def text(name: str, address: str, needs_token: bool = False) -> str:
    found: dict[str, Command] = {one.name: one for one in commands(CONFIG, address, needs_token)}
    return found[name].text


def shell(script: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_submits_the_configuration(live_server: LiveServer, tmp_path: Path) -> None:
    printed = shell(text("curl", f"{live_server.url}/api/simulations"), tmp_path)
    row = Simulation.objects.get(simulation_id=json.loads(printed)["simulation_id"])
    assert row.config == CONFIG


@pytest.mark.slow
def test_python_submits_the_configuration(live_server: LiveServer, tmp_path: Path) -> None:
    script = tmp_path / "submit.py"
    script.write_text(text("python", f"{live_server.url}/api/simulations"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert Simulation.objects.get(simulation_id=done.stdout.strip()).config == CONFIG


@pytest.mark.slow
def test_the_command_line_runs_the_configuration(shared_database: None, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    shell(text("cli", ""), tmp_path, PYTHONPATH=str(ROOT))
    row = Simulation.objects.get()
    assert row.config == CONFIG and row.status == "completed"


def test_a_token_is_sent_where_one_is_needed() -> None:
    for name, mark in (
        ("curl", '"Authorization: Bearer $TOKEN"'),
        ("python", "os.environ['TOKEN']"),
    ):
        assert mark in text(name, "http://h/api/simulations", needs_token=True)
        assert "TOKEN" not in text(name, "http://h/api/simulations")
    compile(text("python", "http://h/api/simulations", needs_token=True), "it", "exec")
