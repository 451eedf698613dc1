from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from intellifl.celery import app
from intellifl.redis_client import PRESENT_S, UNAVAILABLE, connected
from simulations.broker import (
    OPEN_S,
    REMEMBERED_S,
    WORKERS,
    Broker,
    BrokerUnavailable,
)
from tests.servers import Valkey, half_alive, refusing, silent

QUEUE = app.conf.task_default_queue
AWAY: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "refused": refusing,
    "silent": silent,
    "half a handshake": partial(half_alive, 1),
    "silent after the handshake": partial(half_alive, 3),
    "a byte now and then": partial(half_alive, 0, 0.2),
}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fails(action: Callable[[], Any]) -> None:
    with pytest.raises(BrokerUnavailable):
        action()


@pytest.mark.parametrize("server", AWAY.values(), ids=AWAY.keys())
def test_publishing_gives_up_however_redis_is_away(
    server: Callable[[], AbstractContextManager[str]],
) -> None:
    with server() as url:
        clock = Clock()
        broker = Broker(url, clock)
        for _ in range(2):
            fails(lambda: broker.publish_if_heard("t", [[1, 0]]))
        clock.now += OPEN_S
        fails(lambda: broker.publish_if_heard("t", [[1, 0]]))


@pytest.mark.parametrize("name", ["refused", "silent", "half a handshake"])
def test_the_settings_of_the_connection_alone_give_up(name: str) -> None:
    with (
        AWAY[name]() as url,
        pytest.raises(UNAVAILABLE),
        connected(url) as connection,
    ):
        app.send_task("t", connection=connection, retry=False, ignore_result=True)


@pytest.mark.parametrize("server", AWAY.values(), ids=AWAY.keys())
def test_health_says_disconnected(
    server: Callable[[], AbstractContextManager[str]],
) -> None:
    with server() as url:
        health = Broker(url).health()
    assert health == {
        "redis": "disconnected",
        "celery_workers": 0,
        "execution_mode": "subprocess",
    }


def test_a_name_that_cannot_be_looked_up_is_redis_away() -> None:
    fails(Broker("redis://no-such-host.invalid/0").workers)


def test_a_url_that_is_none_is_redis_away() -> None:
    fails(Broker("redis://127.0.0.1:port/0").workers)


def test_nothing_is_published_while_nobody_listens(valkey: Valkey) -> None:
    broker = Broker(valkey.url)
    assert broker.publish_if_heard("t", [[1, 0]]) is False
    assert broker.waiting() == 0


def test_a_message_is_published_while_a_worker_listens(valkey: Valkey) -> None:
    broker = Broker(valkey.url)
    broker.announce("w")
    assert broker.publish_if_heard("t", [[1, 0], [2, 0]]) is True
    assert broker.waiting() == valkey.client().llen(QUEUE) == 2


def test_a_worker_counts_until_it_withdraws_or_falls_silent(valkey: Valkey) -> None:
    broker = Broker(valkey.url)
    for name in ("a", "b", "c"):
        broker.announce(name)
    broker.announce("a")
    assert broker.workers() == 3
    broker.withdraw("a")
    assert broker.workers() == 2
    valkey.client().zincrby(WORKERS, -PRESENT_S - 2, "b")
    assert broker.workers() == 1
    valkey.client().zincrby(WORKERS, -100 * PRESENT_S, "b")
    broker.announce("c")
    assert valkey.client().zrange(WORKERS, 0, -1) == ["c"]


def test_health_counts_workers_and_is_remembered_for_a_while(valkey: Valkey) -> None:
    clock = Clock()
    broker = Broker(valkey.url, clock)
    expected = {"redis": "connected", "celery_workers": 0, "execution_mode": "subprocess"}
    assert broker.health() == expected
    broker.announce("w")
    assert broker.health() == expected
    clock.now += REMEMBERED_S
    assert broker.health() == {**expected, "celery_workers": 1, "execution_mode": "celery"}


def test_redis_is_used_again_once_it_is_back_and_the_breaker_closed(valkey: Valkey) -> None:
    clock = Clock()
    broker = Broker(valkey.url, clock)
    broker.announce("w")
    valkey.stop()
    fails(broker.workers)
    valkey.start()
    with pytest.raises(BrokerUnavailable):
        broker.announce("w")
    clock.now += OPEN_S
    broker.announce("w")
    assert broker.publish_if_heard("t", [[1, 0]]) is True


def test_a_frozen_redis_is_away_until_it_thaws(valkey: Valkey) -> None:
    clock = Clock()
    broker = Broker(valkey.url, clock)
    broker.announce("w")
    valkey.signal(signal.SIGSTOP)
    fails(broker.workers)
    valkey.signal(signal.SIGCONT)
    clock.now += OPEN_S
    assert broker.workers() == 1


def test_a_redis_that_may_not_write_is_redis_away(valkey: Valkey) -> None:
    broker = Broker(valkey.url)
    broker.announce("w")
    valkey.client().config_set("maxmemory", "1")
    fails(lambda: broker.publish_if_heard("t", [[1, 0]]))


def test_it_is_logged_once_that_redis_went_and_once_that_it_came(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "simulations.broker")
    clock = Clock()
    broker = Broker(valkey.url, clock)
    valkey.stop()
    for _ in range(3):
        fails(broker.workers)
        clock.now += OPEN_S
    valkey.start()
    broker.workers()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
