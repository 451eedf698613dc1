"""What import-linter cannot see: dotted paths in tables, sizes of modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simulations.fl.backends import BACKENDS
from simulations.fl.networks import NETWORKS
from simulations.fl.paths import resolve_path
from simulations.fl.strategies import STRATEGIES

ROOT = Path(__file__).parent.parent
PLACES = ("intellifl", "simulations", "datasets_app", "terminal", "tests", "examples")
MODULES = sorted(
    path
    for place in PLACES
    for path in (ROOT / place).rglob("*.py")
    if "migrations" not in path.parts
)
PATHS = [
    *(spec.path for spec in STRATEGIES.values()),
    *(spec.path for spec in NETWORKS.values()),
    *BACKENDS.values(),
]
BANNED = {"utils", "helpers", "common", "misc", "core"}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_in_a_table_leads_to_a_callable(path: str) -> None:
    assert callable(resolve_path(path))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_has_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.stem not in BANNED


@pytest.mark.parametrize(
    "module", ["simulations.fl", "simulations.fl.config", "datasets_app.catalog"]
)
def test_importing_it_loads_no_training_library(module: str) -> None:
    heavy = "{'torch', 'flwr', 'datasets', 'matplotlib', 'django', 'pandas'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
