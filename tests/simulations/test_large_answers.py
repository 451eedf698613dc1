"""What is large is streamed: the same as when it is small, in as many queries, in small pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from simulations import services
from simulations.api import json_response
from simulations.models import Simulation, StrategyRun
from simulations.plot_data import written

LIST = "/api/simulations"
TABLE = "/simulations/table.csv"
LIMITS = {LIST: "simulations.api.simulations.WHOLE", TABLE: "simulations.pages.dashboard.WHOLE"}
pytestmark = pytest.mark.django_db


def streamed(path: str, method: str = "get") -> tuple[list[bytes], Any]:
    """Return the chunks of an answer, none if it is not streamed, and the answer."""
    return async_to_sync(_streamed)(path, method)


async def _streamed(path: str, method: str) -> tuple[list[bytes], Any]:
    answer = await getattr(AsyncClient(), method)(path)
    if not answer.streaming:
        return [], answer
    chunks = [chunk async for chunk in answer.streaming_content]
    return chunks, answer


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (*LIMITS.values(), "simulations.api.plots.WHOLE"):
        monkeypatch.setattr(limit, -1)


@pytest.mark.parametrize("path", LIMITS)
def test_a_long_list_is_the_same_streamed(
    client: Client, submit: Callable[..., Simulation], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for number in range(4):
        submit(display_name=f"é {number}", tags=["a", f"{number}"])
    whole = client.get(path).content
    monkeypatch.setattr(LIMITS[path], 3)
    chunks, answer = streamed(path)
    assert b"".join(chunks) == whole
    assert answer["Content-Type"] == client.get(f"{path}?limit=1&status=running")["Content-Type"]


def test_a_list_that_is_limited_is_not_streamed(
    submit: Callable[..., Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LIMITS[LIST], 2)
    for _ in range(3):
        submit()
    chunks, answer = streamed(f"{LIST}?limit=2")
    assert not chunks and answer["ETag"] and answer["X-Total-Count"] == "3"
    assert len(json.loads(b"".join(streamed(LIST)[0]))) == 3


@pytest.mark.usefixtures("all_large")
def test_an_empty_list_is_one_streamed_too() -> None:
    assert streamed(LIST)[0] == [b"[]"]


@pytest.mark.usefixtures("all_large")
@pytest.mark.parametrize("path", LIMITS)
def test_a_long_list_takes_as_many_queries_as_a_short_one(
    submit: Callable[..., Simulation], path: str
) -> None:
    counts = []
    for number in (1, 6):
        for _ in range(number):
            submit(tags=["a"])
        with CaptureQueriesContext(connection) as queries:
            streamed(path)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


@pytest.fixture
def recorded(record: Callable[..., StrategyRun]) -> Simulation:
    """A simulation of two strategies with rounds of several clients, the third of one round."""
    entry = {"aggregation_strategy_keyword": "fedavg"}
    settings = {"num_of_rounds": 3, "dataset_keyword": "digits"}
    config = {"shared_settings": settings, "simulation_strategies": [entry, {**entry, "seed": 1}]}
    row = services.create(config).simulation
    for number in (0, 1):
        run = record(row, rounds=3, clients=4, number=number, global_accuracy=float("inf"))
        run.client_rounds.filter(client_id=2, round_number__gt=1).delete()
        run.client_rounds.filter(client_id=0).update(loss=float("-inf"))
    return row


@pytest.mark.parametrize("name", ["plot-data", "all-plot-data"])
def test_large_plot_data_are_the_same_streamed(
    client: Client, recorded: Simulation, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = f"{LIST}/{recorded.simulation_id}/{name}"
    whole = client.get(path).content
    monkeypatch.setattr("simulations.api.plots.WHOLE", -1)
    monkeypatch.setattr(json_response, "CHUNK_CHARACTERS", 1)
    chunks, answer = streamed(path)
    assert b"".join(chunks) == whole
    assert len([chunk for chunk in chunks if chunk]) > 4
    assert answer["Content-Type"] == "application/json"


def test_plot_data_without_clients_are_written(record: Callable[..., StrategyRun]) -> None:
    config = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4}
    row = services.create({**config, "dataset_keyword": "digits"}).simulation
    text = "".join(written(record(row, rounds=2, clients=0)))
    assert json.loads(text)["per_client_metrics"] == []
    assert json.loads(text)["rounds"] == [1, 2]


@pytest.mark.usefixtures("all_large")
def test_head_draws_nothing(recorded: Simulation) -> None:
    for path in (LIST, f"{LIST}/{recorded.simulation_id}/plot-data"):
        chunks, answer = streamed(path, "head")
        assert (chunks, answer.status_code, answer.content) == ([], 200, b"")
