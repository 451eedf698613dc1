"""The application's web server as a process of its own, and plain requests to it."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from intellifl.environment import ROOT
from tests.servers import LOOPBACK, eventually, free_port

APPLICATION = "intellifl.asgi:application"
COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "daphne": lambda port: ["intellifl.server", "-b", LOOPBACK, "-p", port, APPLICATION],
    "uvicorn": lambda port: [
        *("uvicorn", APPLICATION, "--host", LOOPBACK, "--port", port),
        *("--timeout-graceful-shutdown", "3"),
    ],
}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class WebServer:
    """A server process that listens on a port of its own."""

    def __init__(self, log: Path, kind: str = "daphne", **variables: str) -> None:
        self.port, self.log = free_port(), log
        self.origin = f"http://{LOOPBACK}:{self.port}"
        fixed = {"DJANGO_SETTINGS_MODULE": "intellifl.settings"}
        with log.open("wb") as output:
            self.process = psutil.Popen(
                [sys.executable, "-m", *COMMANDS[kind](str(self.port))],
                cwd=ROOT,
                env={**os.environ, **fixed, **variables},
                stdout=output,
                stderr=output,
            )
        eventually(self._is_listening)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection((LOOPBACK, self.port), 1).close()
        except OSError:
            return False
        return True

    def open(self, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        """Return an answer to be read and closed; a body that is not bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        connection = HTTPConnection(LOOPBACK, self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Connection": "close", **headers})
            return connection.getresponse()
        except OSError:
            connection.close()
            raise

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        with self.open(method, path, body, **headers) as answer:
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def stop(self) -> None:
        """Ask the process to end and wait until it has; it must not have ended by itself."""
        try:
            self.process.terminate()
            self.process.wait(60)
        finally:
            self.kill()

    def kill(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.process.kill()
        self.process.wait()
