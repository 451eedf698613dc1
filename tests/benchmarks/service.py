"""How the service holds up: submissions, stops, streams, shutdown, resuming."""

from __future__ import annotations

import asyncio
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import connections

from simulations import lifecycle, processes, recorder, services
from simulations.attempt import Options
from simulations.fl.events import Event
from simulations.models import Simulation
from simulations.process_identity import this_process
from simulations.supervisor import supervise
from tests.benchmarks.measuring import Row, ms, percentile, timed, web
from tests.servers import LOOPBACK, eventually, half_alive, refusing, silent
from tests.simulations.faults.killing import REAL, run_with_kills

FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
CLIENTS = 500
HOSTILE = {
    "one that ignores SIGTERM": "trap '' TERM; sleep 600 & wait",
    "setsid and nohup": "setsid nohup sleep 600 >/dev/null 2>&1 & sleep 600",
    "a double fork": "(setsid sh -c 'sleep 600 & sleep 600' &) ; sleep 600",
    "a hundred children": "for i in $(seq 100); do setsid sleep 600 & done; sleep 600",
}


def submissions() -> Iterator[Row]:
    """Time 100 submissions to a server of its own for each way in which Redis can be away."""
    ways: dict[str, Any] = {
        "refuses": refusing(),
        "is silent": silent(),
        "stops within its handshake": half_alive(1),
    }
    for way, redis in ways.items():
        with redis as url, web(REDIS_URL=url) as server:
            times = [
                timed(lambda: server.ask("POST", "/api/simulations", FLAT)) for _ in range(100)
            ]
        found = f"p99 {percentile(times, 99):.2f} s, p50 {statistics.median(times):.3f} s"
        yield f"POST while Redis {way}", found, "p99 < 1 s"


def stops() -> Iterator[Row]:
    """Time the stop of runs whose processes do not want to end."""
    for kind, script in HOSTILE.items():
        yield f"stop of {kind}", _stop(kind, script), "≤ 10 s"


def _stop(token: str, script: str) -> str:
    simulation = services.create(FLAT).simulation
    lifecycle.claim(simulation.pk, token, this_process())
    options = Options(engine=["sh", "-c", script], artifacts=["true"])
    thread = threading.Thread(target=_supervise, args=(simulation.pk, token, options))
    thread.start()
    eventually(lambda: len(processes.carriers(token)) > 2)
    time.sleep(0.5)
    seconds = timed(lambda: services.stop(simulation))
    thread.join()
    left = len(processes.carriers(token))
    return f"{seconds:.1f} s, {simulation.status}, {left} processes left"


def streams() -> Iterator[Row]:
    """Deliver 20 log lines, one each half second, to 500 clients of one process; twice."""
    with web() as server:
        process = server.process
        row = _running()
        server.ask("GET", f"/api/simulations/{row.simulation_id}")
        asyncio.run(_crowd(server.port, row, 20, lines=2))
        eventually(lambda: process.num_threads() < 30, 30)
        idle, threads = process.memory_info().rss, process.num_threads()
        files = process.num_fds()
        seen, highest = asyncio.run(_crowd(server.port, row, CLIENTS, lines=20, process=process))
        found = f"p99 {ms(percentile(seen, 99))}, p50 {ms(statistics.median(seen))}"
        yield f"delivery to {CLIENTS} clients", f"{found}, {len(seen)} events", "p99 < 250 ms"
        yield "memory over idle", f"{(highest - idle) / 2**20:.0f} MB", "< 60 MB"
        eventually(lambda: process.num_fds() <= files + 2, 60)
        asyncio.run(_crowd(server.port, row, CLIENTS, lines=2))
        eventually(lambda: process.num_fds() <= files + 2, 60)
        eventually(lambda: process.num_threads() <= threads + 2, 60)
        grown = (process.memory_info().rss - idle) / 2**20
        found = f"{grown:+.0f} MB, {process.num_threads() - threads:+d} threads"
        yield "after they left, twice", f"{found}, {process.num_fds() - files:+d} files", "base"


def stalled_client() -> Iterator[Row]:
    """Let one client never read while 200 MB are logged, and others read another run."""
    with web() as server:
        process = server.process
        noisy, quiet = _running(), _running()
        idle = process.memory_info().rss
        path = f"/api/simulations/{noisy.simulation_id}/logs"
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((LOOPBACK, server.port))
            stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n\r\n".encode())
            writer = threading.Thread(target=_produce, args=(_log(noisy), 200 << 20))
            writer.start()
            seen, highest = asyncio.run(_crowd(server.port, quiet, 20, lines=20, process=process))
            writer.join()
        found = (
            f"{(highest - idle) / 2**20:.0f} MB; others p99 {1000 * percentile(seen, 99):.0f} ms"
        )
        yield "a client that never reads", found, "< 50 MB, < 500 ms"


def shutdown() -> Iterator[Row]:
    with web() as server:
        row = _running()
        sockets = [socket.create_connection((LOOPBACK, server.port)) for _ in range(100)]
        for one in sockets:
            path = f"/api/simulations/{row.simulation_id}/stream"
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n\r\n".encode())
            one.recv(100)
        server.process.send_signal(signal.SIGTERM)
        yield "SIGTERM with 100 streams open", f"{timed(server.process.wait):.1f} s", "≤ 5 s"


def kills() -> Iterator[Row]:
    """Kill a run five times, with INTELLIFL_RESUME=auto and without."""
    undisturbed = run_with_kills(REAL, [], is_auto=False)
    for is_auto in (True, False):
        disturbed = run_with_kills(REAL, [2, 3, 4, 5, 7], is_auto=is_auto)
        same = "identical" if disturbed == undisturbed else "DIFFERENT"
        way = "resumed by itself" if is_auto else "resumed by hand"
        yield f"killed with -9 five times, {way}", f"completed, metrics {same}", "identical"


def recording() -> Iterator[Row]:
    """Record rounds of 1,000 clients, the cheapest to train there are, while they are played."""
    config = {
        "aggregation_strategy_keyword": "fedavg",
        "dataset_keyword": "mnist5k",
        "model_keyword": "logreg",
        "num_of_rounds": 10,
        "num_of_clients": 1000,
        "training_subset_fraction": 1.0,
        "batch_size": 10,
        "seed": 3,
    }
    simulation = services.create(config).simulation
    lifecycle.claim(simulation.pk, "recording", this_process())
    taken: list[float] = []
    record = recorder.record

    def clocked(pk: int, token: str, event: Event) -> bool:
        began = time.perf_counter()
        try:
            return record(pk, token, event)
        finally:
            taken.append(time.perf_counter() - began)

    recorder.record = clocked
    try:
        lasted = timed(lambda: supervise(simulation.pk, "recording", Options(artifacts=["true"])))
    finally:
        recorder.record = record
    rows = simulation.strategies.get().client_rounds.count()
    share = f"{sum(taken):.2f} s of {lasted:.1f} s, {sum(taken) / lasted:.1%}"
    yield f"recording {rows} rows of clients in 10 rounds", share, "< 5 %"


BENCHMARKS: tuple[Callable[[], Iterator[Row]], ...] = (
    submissions,
    stops,
    streams,
    stalled_client,
    shutdown,
    kills,
    recording,
)


async def _crowd(
    port: int, row: Simulation, clients: int, lines: int, process: psutil.Process | None = None
) -> tuple[list[float], int]:
    """Return how long each line took to each client, and the server's highest memory."""
    log = _log(row)
    log.write_text("")
    seen: list[float] = []
    streams = [await _connect(port, row) for _ in range(clients)]
    readers = [asyncio.create_task(_read(source, lines, seen)) for source, _ in streams]
    await asyncio.sleep(1.5)
    highest = 0
    for number in range(lines):
        with log.open("a") as file:
            file.write(f"2026-11-24T06:00:00.123 INFO line {number} at {time.monotonic()!r}\n")
        await asyncio.sleep(0.5)
        highest = max(highest, process.memory_info().rss if process else 0)
    await asyncio.wait_for(asyncio.gather(*readers), 60)
    for _, sink in streams:
        sink.close()
    return seen, highest


async def _connect(port: int, row: Simulation) -> Any:
    source, sink = await asyncio.open_connection(LOOPBACK, port)
    path = f"/api/simulations/{row.simulation_id}/logs"
    sink.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
    return source, sink


async def _read(source: asyncio.StreamReader, lines: int, seen: list[float]) -> None:
    found = 0
    while found < lines:
        line = await source.readline()
        assert line, "the stream ended"
        if b" at " in line:
            text = line.split(b" at ")[1]
            seen.append(time.monotonic() - float(text.split(b'"')[0]))
            found += 1


def _running() -> Simulation:
    row = services.create(FLAT).simulation
    Simulation.objects.filter(pk=row.pk).update(status="running", started_at=row.created_at)
    return row


def _log(row: Simulation) -> Path:
    return Path(settings.OUT_DIR) / row.simulation_id / "output.log"


def _produce(log: Path, size: int) -> None:
    block = "".join(f"2026-11-24T06:00:00.123 INFO line {number}\n" for number in range(20_000))
    with log.open("a") as file:
        while log.stat().st_size < size:
            file.write(block)
            file.flush()
            time.sleep(0.05)


def _supervise(pk: int, token: str, options: Options) -> None:
    supervise(pk, token, options)
    connections.close_all()
