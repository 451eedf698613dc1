from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from simulations import interruption, lifecycle, recorder
from simulations.fl.events import ClientMetrics, RoundFinished, StrategyStarted
from simulations.models import RunEvent, Simulation, Status
from simulations.process_identity import this_process

pytestmark = pytest.mark.django_db
Claimed = Callable[..., tuple[Simulation, str]]


@pytest.fixture
def auto(settings: Any) -> None:
    settings.RESUMES_BY_ITSELF = True


def finish_round(simulation: Simulation, token: str, number: int) -> None:
    clients = [ClientMetrics(client_id=0)]
    assert recorder.record(simulation.pk, token, RoundFinished(0, number, clients=clients))


def claim(simulation: Simulation) -> str:
    token = secrets.token_hex(8)
    assert lifecycle.claim(simulation.pk, token, this_process())
    return token


def statuses(simulation: Simulation) -> list[str]:
    events = RunEvent.objects.filter(simulation=simulation, kind="status")
    return [event.payload["status"] for event in events]


def test_by_default_an_interrupted_run_has_failed(claimed: Claimed) -> None:
    simulation, token = claimed()
    assert interruption.end(simulation.pk, token, "interrupted: x") == Status.FAILED
    simulation.refresh_from_db()
    assert (simulation.status, simulation.error) == ("failed", "interrupted: x")


def test_it_is_queued_again_where_servers_resume(auto: None, claimed: Claimed) -> None:
    simulation, token = claimed()
    assert interruption.end(simulation.pk, token, "interrupted: x") == Status.QUEUED
    simulation.refresh_from_db()
    assert simulation.status == "queued" and simulation.error == ""
    assert simulation.finished_at is None and simulation.attempt_token == ""
    assert statuses(simulation) == ["queued", "pending", "failed", "queued"]


def test_the_interrupted_attempt_has_lost_the_simulation(auto: None, claimed: Claimed) -> None:
    simulation, token = claimed()
    interruption.end(simulation.pk, token, "interrupted")
    assert lifecycle.beat(simulation.pk, token) is None
    assert not lifecycle.complete(simulation.pk, token)
    assert interruption.end(simulation.pk, token, "interrupted") is None
    claim(simulation)
    assert interruption.end(simulation.pk, token, "interrupted") is None


def test_it_gives_up_after_three_attempts_without_a_round(auto: None, claimed: Claimed) -> None:
    simulation, token = claimed()
    for _ in range(2):
        assert interruption.end(simulation.pk, token, "interrupted") == Status.QUEUED
        token = claim(simulation)
    assert interruption.end(simulation.pk, token, "interrupted") == Status.FAILED
    simulation.refresh_from_db()
    assert "given up after 3 attempts" in simulation.error


def test_a_finished_round_starts_the_count_again(auto: None, claimed: Claimed) -> None:
    simulation, token = claimed()
    recorder.record(simulation.pk, token, StrategyStarted(0, 10, [5] * 4))
    for number in (1, 2, 3):
        finish_round(simulation, token, number)
        assert interruption.end(simulation.pk, token, "interrupted") == Status.QUEUED
        token = claim(simulation)
    simulation.refresh_from_db()
    assert simulation.fruitless_attempts == 1 and simulation.attempt == 4


def test_a_run_that_should_stop_is_stopped(auto: None, claimed: Claimed) -> None:
    simulation, token = claimed()
    lifecycle.request_stop(simulation.pk)
    assert interruption.end(simulation.pk, token, "interrupted") == Status.STOPPED
