"""A message that Redis took while the sender heard nothing of it: one execution all the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simulations import broker, dispatch, services
from simulations.broker import Broker, BrokerUnavailable
from simulations.local_queue import LocalQueue
from simulations.models import RunEvent, Simulation
from tests.servers import LOOPBACK, Valkey, eventually
from tests.workers import QUEUE, Worker

pytestmark = pytest.mark.django_db(transaction=True)


class Lossy:
    """A way to Redis that delivers commands but cuts the connection before LPUSH is answered."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server((LOOPBACK, 0), backlog=64)
        self.url = f"redis://{LOOPBACK}:{self._server.getsockname()[1]}/0"
        self.cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, socket.create_connection((LOOPBACK, self._target)) as redis, suppress(OSError):
            while asked := peer.recv(1 << 20):
                redis.sendall(asked)
                answer = redis.recv(1 << 20)
                if b"LPUSH" in asked:
                    self.cut += 1
                    return
                peer.sendall(answer)


@pytest.fixture
def lossy(valkey: Valkey) -> Iterator[Lossy]:
    proxy = Lossy(valkey.port)
    yield proxy
    proxy.close()


@pytest.mark.slow
def test_a_lost_reply_runs_the_simulation_once(
    shared_database: None,
    valkey: Valkey,
    lossy: Lossy,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    engine: Callable[[str], list[str]],
    options: Any,
    tmp_path: Path,
    good: str,
) -> None:
    starts = tmp_path / "starts"
    body = f"open({str(starts)!r}, 'a').write('started\\n')\ntime.sleep(1)\n{good}"
    monkeypatch.setenv("REDIS_URL", valkey.url)
    worker = Worker(engine(body), tmp_path / "worker.log")
    changes = {"redis_url": lossy.url}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)
    one = Broker(lossy.url)
    monkeypatch.setattr(broker, "broker", lambda: one)
    try:
        eventually(lambda: Broker(valkey.url).workers() == 1)
        simulation = services.create(CONFIG).simulation
        assert lossy.cut == 1
        with pytest.raises(BrokerUnavailable):
            one.workers()
        # The sender's own queue believes that Redis is away, and takes it at the same time.
        queue = LocalQueue(1, options(body))
        monkeypatch.setattr(dispatch, "is_left_to_workers", lambda: False)
        thread = threading.Thread(target=queue.run)
        thread.start()
        eventually(lambda: Simulation.objects.filter(status="completed").exists())
        queue.shut_down()
        thread.join(60)
        simulation.refresh_from_db()
        assert simulation.status == "completed"
        assert starts.read_text() == "started\n"
        taken = RunEvent.objects.filter(kind="status", payload__status="pending")
        assert taken.count() == 1 and simulation.attempt == 1
        assert valkey.client().llen(QUEUE) == 0
    finally:
        worker.process.kill()
        worker.process.wait()


CONFIG = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
    "num_of_clients": 4,
}
