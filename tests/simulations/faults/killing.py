"""A run of the real engine that is killed after given rounds, and goes on each time."""

from __future__ import annotations

import secrets
import signal
from typing import Any

from django.conf import settings

from simulations import lifecycle, processes, services
from simulations.attempt import Options
from simulations.models import ClientRound, RoundMetrics, Simulation
from simulations.process_identity import this_process
from simulations.supervisor import supervise

Rows = list[dict[str, Any]]
IDS = ("id", "strategy_run_id")
TIMES = ("recorded_at", "round_seconds", "train_seconds", "score_calculation_time_ns")
REAL: dict[str, Any] = {
    "aggregation_strategy_keyword": "trust",
    "dataset_keyword": "digits",
    "model_keyword": "cnn_wide",
    "num_of_rounds": 8,
    "num_of_clients": 6,
    "num_of_malicious_clients": 1,
    "remove_clients": True,
    "begin_removing_from_round": 2,
    "seed": 11,
    "attack_schedule": [
        {
            "attack_type": "gradient_scaling",
            "scale_factor": -3.0,
            "start_round": 1,
            "end_round": 8,
            "selection_strategy": "specific",
            "malicious_client_ids": [4],
        }
    ],
}


def run_with_kills(config: dict[str, Any], kills: list[int], *, is_auto: bool) -> Rows:
    """Run it, killing its processes after each round of `kills`; return all that is recorded.

    It is resumed by hand, or with `is_auto` as with INTELLIFL_RESUME=auto.
    """
    settings.RESUMES_BY_ITSELF = is_auto
    Simulation.objects.all().delete()
    simulation = services.create(config).simulation
    token, left = secrets.token_hex(8), list(kills)

    def kill_when_due(event: Any) -> None:
        if event.kind == "round_finished" and left and event.round_number >= left[0]:
            left.pop(0)
            for process in processes.carriers(token):
                process.send_signal(signal.SIGKILL)

    assert lifecycle.claim(simulation.pk, token, this_process())
    while True:
        supervise(simulation.pk, token, Options(artifacts=["true"], observe=kill_when_due))
        simulation.refresh_from_db()
        if simulation.status == "completed":
            assert not left and simulation.attempt == len(kills) + 1
            return _measured()
        token = secrets.token_hex(8)
        _go_on(simulation, token, is_auto)


def _go_on(simulation: Simulation, token: str, is_auto: bool) -> None:
    if is_auto:
        assert simulation.status == "queued"
        assert lifecycle.claim(simulation.pk, token, this_process())
    else:
        assert simulation.status == "failed" and "SIGKILL" in simulation.error
        services.resume(simulation, claim=services.Claim(token, this_process()))


def _measured() -> Rows:
    """Return the rows of rounds and clients, but for times and ids."""
    return [
        {name: value for name, value in row.items() if name not in (*IDS, *TIMES)}
        for model in (RoundMetrics, ClientRound)
        for row in model._default_manager.order_by("id").values()
    ]
