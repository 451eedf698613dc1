"""Recorded simulations to ask about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun

Submit = Callable[..., Simulation]


@pytest.fixture
def finished(submit: Submit, end: Callable[..., Simulation]) -> Callable[..., StrategyRun]:
    """Record a finished simulation of one strategy that reached this accuracy."""

    def finished(name: str, accuracy: float, **settings: object) -> StrategyRun:
        row = end(submit(display_name=name, seed=1, **settings))
        run = row.strategies.get()
        run.final_accuracy, run.finished_at = accuracy, timezone.now()
        run.save()
        RoundMetrics.objects.create(
            strategy_run=run, round_number=1, global_accuracy=accuracy, recorded_at=timezone.now()
        )
        return run

    return finished


@pytest.fixture
def removal(submit: Submit) -> StrategyRun:
    """Record four rounds of six clients under krum; client 4 attacks from round 2 on.

    Scores are 1, 2, 3, … by client; in round 3 client 4 has 50, and it is out from round 4 on.
    """
    row = submit(
        display_name="Removal",
        aggregation_strategy_keyword="krum",
        num_of_clients=6,
        num_of_malicious_clients=1,
        remove_clients=True,
        begin_removing_from_round=3,
        seed=1,
    )
    run = row.strategies.get()
    for number in range(1, 5):
        RoundMetrics.objects.create(
            strategy_run=run, round_number=number, recorded_at=timezone.now()
        )
        ClientRound.objects.bulk_create(
            ClientRound(
                strategy_run=run,
                round_number=number,
                client_id=client,
                removal_criterion=50.0 if client == 4 and number >= 3 else client + 1.0,
                participated=client == 0,
                is_malicious=client == 4 and number >= 2,
                is_removed=client == 4 and number == 4,
                num_examples=10,
            )
            for client in range(6)
        )
    return run
