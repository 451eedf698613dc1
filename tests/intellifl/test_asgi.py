"""Event streams of the application as servers run it."""

from __future__ import annotations

import asyncio
import threading

from asgiref.testing import ApplicationCommunicator

from intellifl.asgi import application
from simulations import services

STREAMS = 6
FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}


def opening(path: str) -> ApplicationCommunicator:
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    return ApplicationCommunicator(application, scope)


async def open_streams(path: str) -> int:
    """Return how many threads more there are once all streams have told the status."""
    before = threading.active_count()
    streams = [opening(path) for _ in range(STREAMS)]
    for stream in streams:
        await stream.send_input({"type": "http.request", "body": b""})
        started = await stream.receive_output(20)
        assert started["status"] == 200
        text = b""
        while b"event: status" not in text:
            text += (await stream.receive_output(20))["body"]
    await asyncio.sleep(0.2)
    more = threading.active_count() - before
    for stream in streams:
        await stream.send_input({"type": "http.disconnect"})
        await stream.wait(60)
    return more


def test_an_open_stream_keeps_no_thread(shared_database: None) -> None:
    path = f"/api/simulations/{services.create(FLAT).simulation.simulation_id}/stream"
    assert asyncio.run(open_streams(path)) < STREAMS, "each stream has a thread"
