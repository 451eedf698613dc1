"""What a run depended on, for MANIFEST.json: versions, hardware, code, seeds, configuration."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from intellifl.environment import ROOT
from simulations.fl import journal
from simulations.models import Simulation, StrategyRun

PACKAGES = (
    "intellifl",
    "torch",
    "numpy",
    "datasets",
    "flwr",
    "matplotlib",
    "django",
    "pydantic",
)
GIT_LIMIT_S = 10


def manifest(simulation: Simulation, runs: Sequence[StrategyRun], run_dir: Path) -> dict[str, Any]:
    """Return the manifest; the configurations it hashes are the files written before.

    It names no host, user or folder of the machine.
    """
    started = _last_start(simulation)
    return {
        "simulation_id": simulation.simulation_id,
        "display_name": simulation.display_name,
        "created_at": _iso(simulation.created_at),
        "started_at": _iso(simulation.started_at),
        "finished_at": _iso(_finished(runs)),
        "attempts": simulation.attempt,
        "seed": simulation.seed,
        "config_sha256": _sha256(run_dir / "config.json"),
        "strategies": [_strategy(run, run_dir) for run in runs],
        "versions": {"python": platform.python_version(), **_packages(), **started["versions"]},
        "hardware": {"device": started["device"], "workers": started["num_workers"], **_machine()},
        **_code(),
        "command": f"python -m simulations.fl run {journal.CONFIG} --out NEW_FOLDER",
    }


def _strategy(run: StrategyRun, run_dir: Path) -> dict[str, Any]:
    name = f"strategy_config_{run.number}.json"
    return {
        "number": run.number,
        "name": run.name,
        "keyword": run.keyword,
        "seed": run.config.get("seed"),
        "rounds": run.current_round,
        "num_parameters": run.num_parameters,
        "ended_early": run.ended_early or None,
        "config": name,
        "config_sha256": _sha256(run_dir / name),
    }


def _finished(runs: Sequence[StrategyRun]) -> datetime | None:
    """Return when the last strategy ended; the simulation's own end comes after its files."""
    moments = [run.finished_at for run in runs if run.finished_at is not None]
    return max(moments) if len(moments) == len(runs) else None


def _last_start(simulation: Simulation) -> dict[str, Any]:
    """Return what the engine told when it started last; empty if it never did."""
    event = simulation.events.filter(kind="run_started").order_by("-id").first()
    told: dict[str, Any] = {"versions": {}, "device": None, "num_workers": None}
    return told if event is None else told | event.payload


def _packages() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count(logical=True),
        "physical_cores": psutil.cpu_count(logical=False),
        "memory_bytes": psutil.virtual_memory().total,
        "machine": platform.machine(),
        "platform": platform.platform(),
    }


def _code() -> dict[str, Any]:
    """Return the commit of the code, and whether files differ from it; None outside of git."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit or None, "git_changed": None if changed is None else bool(changed)}


def _git(*arguments: str) -> str | None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return None
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=GIT_LIMIT_S,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
