"""The API as a whole: reading changes nothing, and the number of queries does not grow."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from intellifl.api import api
from simulations import services
from simulations.models import Simulation

SCHEMA: dict[str, Any] = api.get_openapi_schema(path_prefix="/")
STREAMS = ("/stream", "/logs")
READ = sorted(
    path
    for path, methods in SCHEMA["paths"].items()
    if "get" in methods and not path.endswith(STREAMS)
)
PAGES = ["/simulations/", "/simulations/{simulation_id}/", "/docs", "/redoc", "/openapi.json"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Simulation:
    return services.create(
        {
            "aggregation_strategy_keyword": "fedavg",
            "num_of_rounds": 4,
            "dataset_keyword": "digits",
            "tags": ["a"],
        }
    ).simulation


def everything() -> dict[str, list[Any]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
    }


@pytest.mark.django_db(transaction=True)  # closing an answer ends the test's transaction
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_changes_no_row(client: Client, row: Simulation, method: str) -> None:
    before = everything()
    for path in (*READ, *PAGES):
        for simulation_id in (row.simulation_id, "unknown", "not.an.id"):
            url = path.format(simulation_id=simulation_id, result_filename="config.json", name="x")
            client.generic(method, url).close()
        assert everything() == before, path


@pytest.mark.parametrize(
    ("name", "queries"),
    [("", 4), ("/config", 1), ("/status", 1), ("/plot-data", 2), ("/attack-snapshots", 1)],
)
def test_a_simulation_is_read_with_few_queries(
    client: Client, row: Simulation, django_assert_num_queries: Any, name: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        client.get(f"/api/simulations/{row.simulation_id}{name}")


def test_the_queue_takes_one_query(
    client: Client, row: Simulation, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        client.get("/api/queue/status")
