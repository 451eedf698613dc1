"""Simulations with rows whose numbers the tests can compute by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from simulations import services
from simulations.artifacts import folder
from simulations.artifacts.measurements import CLIENT_COLUMNS, COUNTS, ROUND_COLUMNS, Measurements
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun

ATTACK = {
    "attack_type": "gradient_scaling",
    "scale_factor": -5.0,
    "start_round": 2,
    "end_round": 4,
    "selection_strategy": "specific",
    "malicious_client_ids": [1],
}
FLAT: dict[str, Any] = {
    "aggregation_strategy_keyword": "krum",
    "dataset_keyword": "digits",
    "num_of_rounds": 4,
    "num_of_clients": 5,
    "seed": 7,
    "attack_schedule": [ATTACK],
    "remove_clients": True,
    "begin_removing_from_round": 2,
    "save_plots": False,
}


@pytest.fixture
def simulate(db: None) -> Callable[..., Simulation]:
    """Submit the configuration above with these settings changed."""

    def simulate(**changes: Any) -> Simulation:
        return services.create({**FLAT, **changes}).simulation

    return simulate


@pytest.fixture
def compare(db: None) -> Callable[..., Simulation]:
    """Submit several strategies; each argument holds the settings of one."""

    def compare(*strategies: Mapping[str, Any], **shared: Any) -> Simulation:
        config = {
            "shared_settings": {**FLAT, **shared},
            "simulation_strategies": list(strategies),
        }
        return services.create(config).simulation

    return compare


@pytest.fixture
def fill() -> Callable[..., StrategyRun]:
    """Write rounds 1 to `rounds` of a strategy as rows, with `missing` columns null in round 3.

    In round r the test accuracy is r / 10 and the loss 1 / r; client c has the loss r + c / 8.
    Client 1 is malicious from round 2 on and removed from round 3 on.
    """

    def fill(
        simulation: Simulation,
        rounds: int = 4,
        clients: int = 5,
        number: int = 0,
        missing: tuple[str, ...] = ("global_accuracy", "loss"),
    ) -> StrategyRun:
        run = simulation.strategies.get(number=number)
        RoundMetrics.objects.bulk_create(
            _round(run, turn, clients, missing) for turn in range(1, rounds + 1)
        )
        ClientRound.objects.bulk_create(
            _client(run, turn, client, missing)
            for turn in range(1, rounds + 1)
            for client in range(clients)
        )
        StrategyRun.objects.filter(pk=run.pk).update(current_round=rounds)
        run.refresh_from_db()
        return run

    return fill


def _round(run: StrategyRun, turn: int, clients: int, missing: tuple[str, ...]) -> RoundMetrics:
    values: dict[str, Any] = {
        "aggregated_loss": 2 / turn,
        "average_accuracy": turn / 8,
        "average_accuracy_std": 1 / 16,
        "global_accuracy": turn / 10,
        "global_loss": 1 / turn,
        "removal_threshold": 4.5,
        "score_calculation_time_ns": 1_000_000 * turn,
        "round_seconds": 0.5,
        "tp": clients - 1 if turn > 1 else clients,
        "tn": int(turn >= 3),
        "fp": int(turn == 2),
        "fn": 0,
    }
    absent = {name: None for name in missing if turn == 3 and name in values}
    return RoundMetrics(
        strategy_run=run, round_number=turn, recorded_at=timezone.now(), **{**values, **absent}
    )


def _client(run: StrategyRun, turn: int, client: int, missing: tuple[str, ...]) -> ClientRound:
    values: dict[str, Any] = {
        "loss": turn + client / 8,
        "accuracy": 1 / (1 + turn + client),
        "absolute_distance": 1.0 + client,
        "removal_criterion": 9.0 if client == 1 else 1.0,
        "train_seconds": 0.25,
    }
    absent = {name: None for name in missing if turn == 3 and name in values}
    return ClientRound(
        strategy_run=run,
        round_number=turn,
        client_id=client,
        participated=not (client == 1 and turn >= 3),
        is_malicious=client == 1 and turn >= 2,
        is_removed=client == 1 and turn >= 3,
        num_examples=90 + client,
        **{**values, **absent},
    )


@pytest.fixture
def run_dir() -> Callable[[Simulation], Path]:
    return lambda simulation: folder.run_dir(simulation.simulation_id)


def measurements(
    rounds: int = 12, clients: int = 10, malicious: tuple[int, ...] = (2, 7), **changes: Any
) -> Measurements:
    """Measurements without a database: everything is 0.5, but distances, which grow by client."""
    of_rounds = {name: np.full(rounds, 0.5) for name in (*ROUND_COLUMNS, *COUNTS)}
    of_rounds |= {f"removal_{rate}": np.full(rounds, 0.5) for rate in ("accuracy", "f1")}
    of_rounds |= {f"removal_{rate}": np.full(rounds, 0.5) for rate in ("precision", "recall")}
    of_clients = {name: np.full((rounds, clients), 0.5) for name in CLIENT_COLUMNS}
    for name in ("participated", "is_malicious", "is_removed"):
        of_clients[name] = np.zeros((rounds, clients))
    of_clients["is_malicious"][:, list(malicious)] = 1
    of_clients["absolute_distance"] = np.tile(np.arange(clients, dtype=float), (rounds, 1))
    values: dict[str, Any] = {
        "number": 0,
        "name": "krum",
        "keyword": "krum",
        "config": {"attack_schedule": []},
        "rounds": np.arange(1, rounds + 1),
        "clients": np.arange(clients),
        "of_rounds": of_rounds,
        "of_clients": of_clients,
    }
    return Measurements(**{**values, **changes})


@pytest.fixture(name="measurements")
def measurements_fixture() -> Callable[..., Measurements]:
    return measurements
