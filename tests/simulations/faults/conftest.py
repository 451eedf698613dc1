"""What goes wrong on purpose: a full disk, a lossy Redis, a web server that is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web_server import WebServer


@pytest.fixture
def web(shared_database: None, tmp_path: Path) -> Iterator[Callable[[], WebServer]]:
    """Return a starter of web servers."""
    started: list[WebServer] = []

    def start() -> WebServer:
        started.append(WebServer(tmp_path / f"web_{len(started)}.log"))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Return a maker of file systems of so many KiB; skip where this user may not mount."""
    mounted: list[Path] = []

    def make(kib: int) -> Path:
        place = tmp_path / f"disk_{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("needs the right to mount a file system")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
