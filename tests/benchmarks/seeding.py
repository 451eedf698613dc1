"""Many simulations, and one with very many measurements, inserted in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from simulations import services
from simulations.models import (
    ClientRound,
    RoundMetrics,
    RunEvent,
    Simulation,
    SimulationTag,
    Status,
    StrategyRun,
)

KEYWORDS = ("fedavg", "krum", "multi-krum", "trimmed_mean", "rfa", "bulyan", "pid")
DATASETS = ("digits", "mnist5k", "fashion_mnist", "reuters_r8")
ATTACKS = ("", "label_flipping", "gaussian_noise", "label_flipping, model_poisoning")
STATUSES = (*[Status.COMPLETED] * 7, Status.FAILED, Status.STOPPED, Status.QUEUED)
CONFIG = {"dataset_keyword": "digits", "num_of_rounds": 20, "num_of_clients": 10}
BATCH = 5000


def many(count: int) -> None:
    """Insert `count` simulations of one strategy each, with labels and events."""
    rows = Simulation.objects.bulk_create(_simulations(count), batch_size=BATCH)
    StrategyRun.objects.bulk_create(
        (
            StrategyRun(
                simulation=row,
                number=0,
                keyword=row.strategy_names,
                name=row.strategy_names,
                config=row.config,
                total_rounds=20,
                final_accuracy=number % 1000 / 1000 if row.status == Status.COMPLETED else None,
            )
            for number, row in enumerate(rows)
        ),
        batch_size=BATCH,
    )
    SimulationTag.objects.bulk_create(
        (
            SimulationTag(simulation=row, name=name)
            for number, row in enumerate(rows)
            for name in (f"sweep {number % 20}", "paper")
        ),
        batch_size=BATCH,
    )
    RunEvent.objects.bulk_create(
        (
            RunEvent(simulation=row, kind=kind, payload={}, created_at=row.created_at)
            for row in rows
            for kind in ("status", "strategy_started", "round", "round", "status")
        ),
        batch_size=BATCH,
    )


def _simulations(count: int) -> Iterator[Simulation]:
    now = timezone.now()
    for number in range(count):
        status = STATUSES[number % len(STATUSES)]
        is_finished = status != Status.QUEUED
        yield Simulation(
            simulation_id=f"seeded_{number:05d}",
            display_name=f"Run {number}" if number % 3 else "",
            notes="Compares rules under attack.\n" * 5,
            config={**CONFIG, "notes": "x" * 2000},
            seed=number,
            strategy_names=KEYWORDS[number % len(KEYWORDS)],
            attack_types=ATTACKS[number % len(ATTACKS)],
            dataset_keyword=DATASETS[number % len(DATASETS)],
            num_of_rounds=20,
            num_of_clients=10,
            num_of_strategies=1,
            rounds_total=20,
            rounds_done=20 if is_finished else number % 20,
            status=status,
            created_at=now - timedelta(minutes=count - number),
            queued_at=now - timedelta(minutes=count - number),
            finished_at=now if is_finished else None,
            error="The engine ended with exit code 1." if status == Status.FAILED else "",
        )


def large(clients: int, rounds: int, strategies: int = 1) -> Simulation:
    """Insert a finished simulation with all measurements of these clients and rounds."""
    strategy = {"num_of_rounds": rounds, "num_of_clients": clients, "dataset_keyword": "digits"}
    config = {
        "shared_settings": strategy,
        "simulation_strategies": [{"aggregation_strategy_keyword": "fedavg"}] * strategies,
    }
    row = services.create(config).simulation
    for run in row.strategies.all():
        run.client_sizes = [60] * clients
        run.current_round = rounds
        run.final_accuracy = 0.9
        run.save()
        RoundMetrics.objects.bulk_create(_rounds(run, rounds))
        numbers = _client_rounds(run, clients, rounds)
        while batch := list(islice(numbers, BATCH)):
            ClientRound.objects.bulk_create(batch)
    Simulation.objects.filter(pk=row.pk).update(
        status=Status.COMPLETED, finished_at=timezone.now(), rounds_done=row.rounds_total
    )
    row.refresh_from_db()
    return row


def _rounds(run: StrategyRun, rounds: int) -> Iterator[RoundMetrics]:
    for number in range(1, rounds + 1):
        yield RoundMetrics(
            strategy_run=run,
            round_number=number,
            aggregated_loss=1 / number,
            average_accuracy=1 - 1 / (number + 1),
            global_accuracy=1 - 1 / (number + 1),
            global_loss=1 / number,
            recorded_at=timezone.now(),
        )


def _client_rounds(run: StrategyRun, clients: int, rounds: int) -> Iterator[ClientRound]:
    for number in range(1, rounds + 1):
        for client in range(clients):
            yield ClientRound(
                strategy_run=run,
                round_number=number,
                client_id=client,
                loss=1 / number + client / 7919,
                accuracy=1 - 1 / (number + 1) - client / 104_729,
                train_loss=1 / number,
                absolute_distance=client / 7,
                removal_criterion=client / 13,
                participated=client % 10 > 0,
                is_malicious=client % 10 == 0,
                is_removed=False,
                num_examples=60,
            )
