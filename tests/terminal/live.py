"""Real servers with real shells, and a WebSocket client that can be told to misbehave."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict

import psutil
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from terminal.messages import SUBPROTOCOL
from tests.conftest import NO_REDIS
from tests.servers import LOOPBACK, eventually
from tests.web_server import WebServer


class Sender(TypedDict):
    """Who asks a test client, and under which name of ours."""

    REMOTE_ADDR: str
    HTTP_HOST: str


class Live(WebServer):
    """A server process, and ways into it."""

    def __init__(self, kind: str, log: Path, variables: dict[str, str]) -> None:
        self.connections = ExitStack()
        self._log_start = 0
        # A home of its own, so that nobody's start-up files run.
        super().__init__(log, kind, HOME=str(log.parent), **variables)

    def connect(
        self, cookie: str | None = None, query: str = "", panel: bool = True, **options: Any
    ) -> Socket:
        headers = {"Cookie": cookie} if cookie else {}
        connection = connect(
            options.pop("uri", f"ws://{LOOPBACK}:{self.port}/api/terminal{query}"),
            origin=options.pop("origin", self.origin),
            additional_headers={**headers, **options.pop("headers", {})},
            subprotocols=[Subprotocol(SUBPROTOCOL)] if panel else None,
            proxy=None,
            max_size=None,
            close_timeout=1,
            # Compressed, much output would be little on its way.
            compression=None,
            **options,
        )
        return Socket(self.connections.enter_context(connection))

    def has_forked(self) -> bool:
        """Tell whether the server has, or ever had, a child.

        The faults of children that were waited for are zero until there was one.
        """
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return bool(self.process.children()) or int(fields[8]) > 0

    def descendants(self) -> list[psutil.Process]:
        return [process for process in self.process.children(recursive=True) if is_alive(process)]

    def memory_mb(self) -> float:
        return float(self.process.memory_info().rss) / 1e6

    def said(self, text: str) -> int:
        """Count it in what was logged since the test began."""
        return self.logged().count(text)

    def logged(self) -> str:
        return self.log.read_text()[self._log_start :]

    def begin(self) -> None:
        self._log_start = len(self.log.read_text())

    def clear(self) -> None:
        """End all connections and terminals."""
        self.connections.close()
        for own_keeper in self.process.children():
            # Before it has its shell, it is not ready to be asked.
            eventually(lambda own_keeper=own_keeper: children_of(own_keeper) is not None)
            with suppress(psutil.NoSuchProcess):
                own_keeper.terminate()
        eventually(lambda: not self.process.children())
        # A terminal counts as open until what its shell printed last has been passed on.
        eventually(lambda: self._count("opened by") == self._count("closed after"))

    def _count(self, text: str) -> int:
        return self.log.read_text().count(text)


class Socket:
    """A connection of either dialect that collects output, and acknowledges it or not."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.is_panel = connection.subprotocol == SUBPROTOCOL
        self.acknowledges = True
        self.received = 0
        self.printed = b""
        self.told: list[dict[str, Any]] = []

    def type(self, text: str) -> None:
        self.connection.send(text.encode() if self.is_panel else text)

    def say(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str) else json.dumps(message))

    def take(self, timeout_s: float = 10.0) -> None:
        """Receive one frame."""
        frame = self.connection.recv(timeout_s)
        if isinstance(frame, bytes):
            self.printed += frame
            self.received += len(frame)
            if self.acknowledges:
                self.say({"type": "ack", "bytes": len(frame)})
        elif self.is_panel:
            self.told.append(json.loads(frame))
        else:
            self.printed += frame.encode()

    def until(self, text: str | bytes, within_s: float = 60.0) -> bytes:
        """Receive until `text` was printed since the last call; return what was."""
        wanted = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + within_s
        while wanted not in self.printed:
            left = deadline - time.monotonic()
            assert left > 0, self.printed[-500:]
            try:
                self.take(left)
            except TimeoutError:
                raise AssertionError(self.printed[-500:]) from None
        before, _, after = self.printed.partition(wanted)
        self.printed = after
        return before + wanted

    def skip(self, size: int) -> None:
        """Forget the first `size` bytes that were received, such as a replay."""
        while self.received < size:
            self.take()
        self.printed = b""

    def run(self, command: str) -> str:
        """Type a command, and return what it prints."""
        # The quotes keep the marks from being found in the echo of what is typed.
        self.type(f" echo be''gun; {command}; echo do''ne\n")
        self.until("begun\r\n")
        return self.until("done\r\n").decode().removesuffix("done\r\n")

    def message(self, kind: str, within_s: float = 60.0) -> dict[str, Any]:
        """Receive until the server has told something of this kind; return it."""
        deadline = time.monotonic() + within_s
        while not any(told["type"] == kind for told in self.told):
            assert time.monotonic() < deadline, self.told
            self.take(within_s)
        found = next(told for told in self.told if told["type"] == kind)
        self.told.remove(found)
        return found

    def closed(self, within_s: float = 60.0) -> int | None:
        """Receive until the server closes; return the code."""
        deadline = time.monotonic() + within_s
        try:
            while time.monotonic() < deadline:
                self.take(within_s)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        raise AssertionError("not closed")

    def leave(self) -> None:
        self.connection.close()


def children_of(process: psutil.Process) -> list[psutil.Process] | None:
    """Return its children, none if it has ended, None if it has not had one yet."""
    try:
        return list(process.children()) or None
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def cookie_of(user: User, expires_in_s: int = 600) -> str:
    """Sign the user in; return the cookie."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(expires_in_s)
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


@contextmanager
def running(kind: str, folder: Path, **variables: str) -> Iterator[Live]:
    live = Live(kind, folder / f"{kind}.log", variables)
    try:
        yield live
    finally:
        live.connections.close()
        family = live.descendants() if live.process.is_running() else []
        if live.process.is_running():
            live.process.terminate()
            live.process.wait(60)
        _, left = psutil.wait_procs(family, timeout=60)
        for process in left:
            process.kill()
    assert not left, "no shell may outlive its server"
    text = live.log.read_text()
    failures = [line for line in text.splitlines() if " ERROR " in line]
    # Django writes with a trace what it refuses, too.
    assert [line for line in failures if "django.security" not in line] == [], text
    assert "never retrieved" not in text and "destroyed but" not in text, text


def variables(database_url: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": NO_REDIS,
        "INTELLIFL_DATA_DIR": str(Path(settings.DATA_DIR).resolve()),
        "INTELLIFL_OUT_DIR": str(folder / "out"),
    }
