"""What goes wrong on purpose: a full disk, a lossy Redis, a web server that is killed."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from intellifl.environment import ROOT
from tests.servers import LOOPBACK, eventually, free_port


class Web:
    """A web server of the application on a port of its own."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "intellifl.server", "-b", LOOPBACK, "-p", str(self.port)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "intellifl.asgi:application"],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "intellifl.settings"},
            )
        eventually(self._answers)

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 60) -> tuple[int, Any]:
        """Return the status and the JSON of the answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"null")
            return answer.status, {**content, "headers": dict(answer.getheaders())}
        finally:
            connection.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.ask("GET", "/api/queue/status")[0] == 200
        except OSError:
            return False


@pytest.fixture
def web(shared_database: None, tmp_path: Path) -> Iterator[Callable[[], Web]]:
    """Return a starter of web servers."""
    started: list[Web] = []

    def start() -> Web:
        started.append(Web(tmp_path / f"web_{len(started)}.log"))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


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


def fill(place: Path, leave_kib: int = 0) -> Path:
    """Fill the file system but for `leave_kib`; return the file that does."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            size = file.tell() - leave_kib * 1024
            file.truncate(size)
    return ballast
