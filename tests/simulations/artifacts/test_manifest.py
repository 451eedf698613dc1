from __future__ import annotations

import hashlib
import json
import platform
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from intellifl.environment import ROOT
from simulations.artifacts.build import build
from simulations.models import RunEvent

Manifest = dict[str, Any]


@pytest.fixture
def built(simulate: Callable[..., Any], fill: Callable[..., Any]) -> tuple[Path, Manifest]:
    simulation = simulate()
    RunEvent.objects.create(
        simulation=simulation,
        kind="run_started",
        payload={"device": "cpu", "num_workers": 2, "versions": {"torch": "1.2.3"}},
        created_at=timezone.now(),
    )
    fill(simulation)
    run_dir = build(simulation)
    return run_dir, json.loads((run_dir / "MANIFEST.json").read_text())


def test_it_names_versions_as_the_run_told_them_hardware_and_seeds(
    built: tuple[Path, Manifest],
) -> None:
    _, manifest = built
    assert manifest["versions"]["torch"] == "1.2.3"
    assert manifest["versions"]["python"] == platform.python_version()
    assert manifest["hardware"]["device"] == "cpu"
    assert manifest["hardware"]["workers"] == 2
    assert manifest["hardware"]["cores"] >= 1
    assert manifest["hardware"]["memory_bytes"] > 2**28
    assert manifest["seed"] == 7
    assert [strategy["seed"] for strategy in manifest["strategies"]] == [7]


def test_hashes_are_those_of_the_files(built: tuple[Path, Manifest]) -> None:
    run_dir, manifest = built
    (strategy,) = manifest["strategies"]
    for name, digest in (
        ("config.json", manifest["config_sha256"]),
        (strategy["config"], strategy["config_sha256"]),
    ):
        assert hashlib.sha256((run_dir / name).read_bytes()).hexdigest() == digest


def test_it_tells_nothing_about_the_machine_that_is_private(
    built: tuple[Path, Manifest], settings: Any
) -> None:
    run_dir, manifest = built
    text = json.dumps(manifest)
    for secret in (str(ROOT), str(Path.home()), str(run_dir.parent), settings.SECRET_KEY):
        assert secret not in text
    assert f'"{socket.gethostname()}"' not in text


def test_a_run_that_never_started_has_a_manifest(simulate: Callable[..., Any]) -> None:
    manifest = json.loads((build(simulate()) / "MANIFEST.json").read_text())
    assert manifest["hardware"]["device"] is None
    assert manifest["started_at"] is None
    assert manifest["strategies"][0]["rounds"] == 0
