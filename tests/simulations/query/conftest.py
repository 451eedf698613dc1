"""Recorded simulations that differ in everything one can filter and order by."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone

from simulations import services
from simulations.models import ClientRound, RoundMetrics, RunEvent, Simulation, StrategyRun

ROUNDS = {"start_round": 1, "end_round": 2, "selection_strategy": "specific"}
NOISE = {"attack_type": "gaussian_noise", "target_noise_snr": 10, "attack_ratio": 1}
ATTACKS = [
    {"attack_type": "label_flipping", "malicious_client_ids": [0], **ROUNDS},
    {**NOISE, "malicious_client_ids": [1], **ROUNDS},
]


class Answer:
    """What was answered, read to its end."""

    def __init__(self, response: Any, content: bytes) -> None:
        self.status, self.headers, self.content = response.status_code, response.headers, content
        self.text = content.decode()

    def json(self) -> Any:
        return json.loads(self.content)

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of a CSV file."""
        return list(csv.DictReader(io.StringIO(self.text, newline="")))


async def _ask(path: str, query: dict[str, Any], method: str, headers: dict[str, str]) -> Answer:
    client = AsyncClient(raise_request_exception=False)
    response = await getattr(client, method)(path, query_params=query, headers=headers)
    parts = [part async for part in response.streaming_content] if response.streaming else None
    return Answer(response, response.content if parts is None else b"".join(parts))


@pytest.fixture
def ask(db: None) -> Callable[..., Answer]:
    """Ask for a path under /query, as a program; the keywords are its parameters."""

    def ask(path: str, method: str = "get", headers: Any = None, **query: Any) -> Answer:
        return async_to_sync(_ask)(f"/query/{path}", query, method, headers or {})

    return ask


@pytest.fixture
def every_page(ask: Callable[..., Answer]) -> Callable[..., list[dict[str, Any]]]:
    """Return all rows of a resource, page by page."""

    def every_page(path: str, **query: Any) -> list[dict[str, Any]]:
        rows, url = [], ""
        page = ask(path, **query).json()
        while True:
            rows += page["results"]
            if not page["next"]:
                return rows
            url = page["next"].partition("/query/")[2]
            page = ask(url).json()

    return every_page


@pytest.fixture
def recorded(submit: Callable[..., Simulation], end: Callable[..., Simulation]) -> list[Simulation]:
    """Three simulations: krum and fedavg of digits that completed, fedavg of digits that failed,
    trimmed_mean of mnist5k that waits. Clients of the first two were measured."""
    krum = {"aggregation_strategy_keyword": "krum", "num_of_malicious_clients": 1}
    both = {
        "shared_settings": {
            "num_of_rounds": 3,
            "num_of_clients": 6,
            "dataset_keyword": "digits",
            "tags": ["paper", "é,1"],
            "display_name": "Größe <1>",
        },
        "simulation_strategies": [krum, {"aggregation_strategy_keyword": "fedavg"}],
    }
    first = services.create(both).simulation
    second = submit(tags=["paper"], seed=2**40, notes="a second one", attack_schedule=ATTACKS)
    third = submit(
        aggregation_strategy_keyword="trimmed_mean", trim_ratio=0.1, dataset_keyword="mnist5k"
    )
    Simulation.objects.filter(pk=third.pk).update(attack_types="targeted_label_flipping")
    begun = timezone.now().replace(microsecond=123456)
    for place, row in enumerate((first, second, third)):
        Simulation.objects.filter(pk=row.pk).update(created_at=begun + timedelta(days=place))
    for run in StrategyRun.objects.filter(simulation__in=[first, second]):
        _measure(run, begun)
    end(first, rounds_done=first.rounds_total)
    end(second, status="failed", error="The disk is full.", rounds_done=1)
    Simulation.objects.filter(pk=first.pk).update(archived_at=begun)
    StrategyRun.objects.filter(simulation=first).update(finished_at=begun, started_at=begun)
    StrategyRun.objects.filter(simulation=second).update(started_at=begun, final_accuracy=0.25)
    RunEvent.objects.create(
        simulation=first, kind="warning", payload={"message": "=1+1"}, created_at=begun
    )
    return list(Simulation.objects.order_by("pk"))


def _measure(run: StrategyRun, begun: Any) -> None:
    run.refresh_from_db()
    for turn in (1, 2, 3):
        RoundMetrics.objects.create(
            strategy_run=run,
            round_number=turn,
            aggregated_loss=1 / turn,
            global_accuracy=None if turn == 2 else turn / 10 + run.number / 100,
            recorded_at=begun + timedelta(minutes=turn),
            tp=turn,
        )
        ClientRound.objects.bulk_create(
            ClientRound(
                strategy_run=run,
                round_number=turn,
                client_id=client,
                loss=None if client == 2 else (7 * client + 3 * turn) % 5 / 3,
                removal_criterion=None if client == 0 else 0.1 * ((client + turn) % 2),
                participated=client != 1,
                is_malicious=client == 1 and turn > 1,
                is_removed=client == 1 and turn == 3,
                num_examples=10 + client,
            )
            for client in range(4)
        )
