"""Commands run in this process, with a small engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import execute_from_command_line

from simulations import attempt

CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
    "num_of_clients": 4,
    "seed": 7,
}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a caller of `manage.py` commands that gives exit code, output and messages."""

    def call(*arguments: str) -> Result:
        code = 0
        capsys.readouterr()
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def with_engine(monkeypatch: pytest.MonkeyPatch, engine: Any) -> Callable[[str], None]:
    def use(body: str) -> None:
        monkeypatch.setattr(attempt, "engine_command", lambda simulation: engine(body))
        monkeypatch.setattr(attempt, "artifacts_command", lambda simulation_id: ["true"])

    return use


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., str]:
    def write(raw: Any = CONFIG) -> str:
        path = tmp_path / "config.json"
        path.write_text(raw if isinstance(raw, str) else json.dumps(raw))
        return str(path)

    return write
