"""How quick lists and large runs are: 10,000 simulations, one of 1,000 clients and 200 rounds."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from django.contrib.auth.models import User
from django.test import Client

from simulations.models import Simulation
from tests.benchmarks import seeding
from tests.benchmarks.measuring import Row, ms, percentile, web
from tests.servers import LOOPBACK
from tests.web_server import WebServer

SIMULATIONS, CLIENTS, ROUNDS, STRATEGIES = 10_000, 1_000, 200, 5
REPEATS = 30
FILTERS = (
    "",
    "status=failed",
    "strategy=krum",
    "dataset=digits",
    "attack=model_poisoning",
    "tag=paper",
    "search=Run 77",
    "search=nothing at all",
    "archived=1",
    "page=200",
)
SORTS = (
    *("display_name", "-status", "progress", "strategy_name", "-dataset_keyword"),
    *("num_of_rounds", "-num_of_clients", "created_at"),
)
DESKS = ("simulation", "strategyrun", "roundmetrics", "clientround", "runevent", "simulationtag")
PAGES = (
    *("/", "/simulations/", "/simulations/new/", "/queue/", "/system/", "/datasets/", "/query/"),
    *("/docs", "/redoc", "/openapi.json", "/login/", "/account/", "/admin/"),
    *("/query/simulations/", "/query/client-rounds/", "/simulations/table.csv"),
)


@dataclass
class Visitor:
    """Asks a server for pages, as a signed-in operator."""

    server: WebServer
    cookie: str

    def get(self, path: str) -> tuple[float, float, int]:
        """Return the seconds to the first byte and to the last, and the size of the body."""
        connection = http.client.HTTPConnection(LOOPBACK, self.server.port, timeout=120)
        headers = {"Cookie": self.cookie, "Accept": "text/html, application/json;q=0.9"}
        began = time.perf_counter()
        connection.request("GET", path.replace(" ", "%20"), headers=headers)
        answer = connection.getresponse()
        size = len(answer.read(1))
        first = time.perf_counter() - began
        while chunk := answer.read(1 << 20):
            size += len(chunk)
        last = time.perf_counter() - began
        connection.close()
        assert answer.status in (200, 302), (path, answer.status)
        return first, last, size

    def median(self, path: str, repeats: int = REPEATS) -> float:
        return statistics.median(self.get(path)[1] for _ in range(repeats))


def lists() -> Iterator[Row]:
    """Time lists, large answers and the memory they take, in one process."""
    seeding.many(SIMULATIONS)
    row = seeding.large(CLIENTS, ROUNDS, STRATEGIES)
    cookie = _cookie()
    with web() as server:
        visitor = Visitor(server, cookie)
        for path in (*PAGES, *(f"/admin/simulations/{name}/" for name in DESKS)):
            visitor.get(path)
        visitor.get(f"/simulations/{row.simulation_id}/")
        yield "memory after a visit of every page", _mb(_memory(server)), "< 130 MB"
        yield from _dashboard(visitor)
        yield from _api(visitor, row)
        yield from _desk(visitor)
        yield "memory after all of this", _mb(_memory(server)), "-"


def _dashboard(visitor: Visitor) -> Iterator[Row]:
    queries = [*FILTERS, *(f"ordering={name}" for name in SORTS)]
    times = {query: visitor.median(f"/simulations/?{query}", 7) for query in queries}
    slowest = max(times, key=lambda query: times[query])
    yield "dashboard, first page", ms(times[""]), "< 300 ms"
    yield f"the slowest filter or sort, {slowest}", ms(times[slowest]), "< 300 ms"


def _api(visitor: Visitor, row: Simulation) -> Iterator[Row]:
    url = f"/api/simulations/{row.simulation_id}"
    times = [visitor.get("/api/simulations?limit=100")[1] for _ in range(100)]
    found = f"p50 {ms(statistics.median(times))}, p99 {ms(percentile(times, 99))}"
    yield "GET /api/simulations?limit=100", found, "p50 < 30 ms"
    yield from _large(visitor, "GET /api/simulations, all", "/api/simulations", "streamed")
    yield "detail of the large run", ms(visitor.median(url)), "< 150 ms"
    yield "its page", ms(visitor.median(f"/simulations/{row.simulation_id}/", 5)), "-"
    yield from _large(visitor, "its plot data", f"{url}/plot-data", "streamed")
    yield from _large(
        visitor, "plot data of all its strategies", f"{url}/all-plot-data", "streamed"
    )


def _desk(visitor: Visitor) -> Iterator[Row]:
    times = {name: visitor.median(f"/admin/simulations/{name}/", 5) for name in DESKS}
    slowest = max(times, key=lambda name: times[name])
    yield f"the admin's slowest list, {slowest}", ms(times[slowest]), "< 300 ms"


def _memory(server: WebServer) -> int:
    return int(server.process.memory_info().rss)


def _large(visitor: Visitor, what: str, path: str, bar: str) -> Iterator[Row]:
    process = visitor.server.process
    before = process.memory_info().rss
    with _peak(process) as highest:
        first, last, size = visitor.get(path)
    found = f"first byte {ms(first)}, {_mb(size)} in {ms(last)}, +{_mb(highest() - before)}"
    yield what, found, bar


@contextmanager
def _peak(process: psutil.Process) -> Iterator[Callable[[], int]]:
    """Watch the memory of a process; the yielded function returns its highest value."""
    seen, is_over = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.005):
            seen.append(process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: max(seen)
    finally:
        is_over.set()
        thread.join()


def _cookie() -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return f"sessionid={client.cookies['sessionid'].value}"


def _mb(size: int) -> str:
    return f"{size / 2**20:.0f} MB"


BENCHMARKS: tuple[Callable[[], Iterator[Row]], ...] = (lists,)
