from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from intellifl.celery import app
from simulations import broker, dispatch, services
from simulations.dispatch import FORGOTTEN_S
from simulations.local_queue import LocalQueue
from simulations.models import Simulation
from simulations.process_identity import this_process
from simulations.services import Claim
from tests.servers import Valkey, eventually, half_alive, refusing, silent

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = app.conf.task_default_queue
New = Callable[..., Simulation]
AWAY = {"refused": refusing, "silent": silent, "half a handshake": partial(half_alive, 1)}


@pytest.fixture
def use_redis(settings: Any) -> Callable[[str], None]:
    def use(url: str) -> None:
        changes = {"redis_url": url}
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)

    return use


@pytest.fixture
def with_worker(valkey: Valkey, use_redis: Callable[[str], None]) -> Valkey:
    """Use the test's Valkey, in which a worker has said that it listens."""
    use_redis(valkey.url)
    broker.broker().announce("a worker")
    return valkey


@pytest.fixture
def run_local_queue(options: Any) -> Any:
    """Return a function that runs a local queue for the time of a `with`."""

    class Running:
        def __init__(self, body: str) -> None:
            self._queue = LocalQueue(1, options(body))
            self._thread = threading.Thread(target=self._run)

        def _run(self) -> None:
            from django.db import connections

            self._queue.run()
            connections.close_all()

        def __enter__(self) -> None:
            self._thread.start()

        def __exit__(self, *_: object) -> None:
            self._queue.shut_down()
            self._thread.join()

    return Running


def messages(valkey: Valkey) -> list[tuple[str, list[Any]]]:
    """Return task and arguments of each message that waits, as the protocol defines them."""
    found = []
    waiting = valkey.client().lrange(QUEUE, 0, -1)
    assert isinstance(waiting, list)
    for text in reversed(waiting):
        envelope = json.loads(text)
        body = json.loads(base64.b64decode(envelope["body"]))
        found.append((envelope["headers"]["task"], body[0]))
    return found


def status_of(simulation: Simulation) -> str:
    return Simulation.objects.values_list("status", flat=True).get(pk=simulation.pk)


def age(simulation: Simulation, seconds: float) -> None:
    queued_at = timezone.now() - timedelta(seconds=seconds)
    Simulation.objects.filter(pk=simulation.pk).update(queued_at=queued_at)


def test_a_new_simulation_is_published_with_its_attempt(
    with_worker: Valkey, new_simulation: New
) -> None:
    simulation = new_simulation()
    assert messages(with_worker) == [("simulations.run", [simulation.pk, 0])]


def test_a_simulation_that_is_claimed_from_the_start_is_not_published(
    with_worker: Valkey, flat: dict[str, Any]
) -> None:
    services.create(flat, claim=Claim("token", this_process()))
    assert messages(with_worker) == []


def test_nothing_is_published_before_the_commit_and_nothing_after_a_rollback(
    with_worker: Valkey, new_simulation: New
) -> None:
    with transaction.atomic():
        new_simulation()
        assert messages(with_worker) == []
    assert len(messages(with_worker)) == 1
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        new_simulation()
        raise ZeroDivisionError
    assert len(messages(with_worker)) == 1


@pytest.mark.parametrize("server", AWAY.values(), ids=AWAY.keys())
def test_without_redis_submission_returns_and_the_local_queue_runs_it(
    server: Callable[[], AbstractContextManager[str]],
    use_redis: Callable[[str], None],
    new_simulation: New,
    run_local_queue: Any,
    good: str,
) -> None:
    with server() as url:
        use_redis(url)
        simulation = new_simulation()
        for _ in range(3):
            dispatch.enqueue(simulation)
        with run_local_queue(good):
            eventually(lambda: status_of(simulation) == "completed")


def test_the_local_queue_leaves_simulations_to_workers_while_one_listens(
    with_worker: Valkey, new_simulation: New, run_local_queue: Any, good: str
) -> None:
    simulation = new_simulation()
    with run_local_queue(good):
        time.sleep(1.5)
        assert status_of(simulation) == "queued"
        broker.broker().withdraw("a worker")
        eventually(lambda: status_of(simulation) == "completed")


def test_without_a_worker_nothing_is_published_and_the_local_queue_runs_it(
    valkey: Valkey,
    use_redis: Callable[[str], None],
    new_simulation: New,
    run_local_queue: Any,
    good: str,
) -> None:
    use_redis(valkey.url)
    simulation = new_simulation()
    assert messages(valkey) == []
    with run_local_queue(good):
        eventually(lambda: status_of(simulation) == "completed")


def test_what_redis_forgot_is_published_again_in_order(
    with_worker: Valkey, new_simulation: New
) -> None:
    first, second, young = new_simulation(), new_simulation(), new_simulation()
    age(first, FORGOTTEN_S + 1)
    age(second, FORGOTTEN_S + 2)
    assert dispatch.republish() == 0
    with_worker.client().delete(QUEUE)
    assert dispatch.republish() == 2
    assert [body for _, body in messages(with_worker)] == [[second.pk, 0], [first.pk, 0]]
    assert young.pk not in [body[0] for _, body in messages(with_worker)]


def test_nothing_is_published_again_when_nothing_waits(
    with_worker: Valkey, new_simulation: New, end: Any
) -> None:
    simulation = new_simulation()
    age(simulation, FORGOTTEN_S + 1)
    end(simulation, "stopped")
    with_worker.client().delete(QUEUE)
    assert dispatch.republish() == 0
    assert messages(with_worker) == []
