from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections

from simulations import lifecycle
from simulations.models import RunEvent, Simulation, Status
from simulations.process_identity import host, this_process

pytestmark = pytest.mark.django_db
New = Callable[..., Simulation]
ME = this_process()
MOVES: dict[str, Callable[[int], bool]] = {
    "claim": lambda pk: lifecycle.claim(pk, "token", ME),
    "start": lambda pk: lifecycle.start(pk, "token"),
    "complete": lambda pk: lifecycle.complete(pk, "token"),
    "fail": lambda pk: lifecycle.fail(pk, "Why.", "token"),
    "stop": lambda pk: lifecycle.stop(pk, "token"),
}
LEGAL = {
    "queued": {"claim"},
    "pending": {"start", "fail", "stop"},
    "running": {"complete", "fail", "stop"},
    "completed": set[str](),
    "failed": set[str](),
    "stopped": set[str](),
}


def in_status(new_simulation: New, status: str) -> Simulation:
    simulation = new_simulation()
    path = {"queued": (), "pending": ("claim",), "running": ("claim", "start")}
    ends = {"completed": "complete", "failed": "fail", "stopped": "stop"}
    moves = path.get(status) or (("claim", "start", ends[status]) if status in ends else ())
    for move in moves:
        assert MOVES[move](simulation.pk)
    simulation.refresh_from_db()
    assert simulation.status == status
    return simulation


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", Status.values)
def test_only_legal_moves_happen(new_simulation: New, status: str, move: str) -> None:
    simulation = in_status(new_simulation, status)
    events = RunEvent.objects.count()
    happened = MOVES[move](simulation.pk)
    assert happened == (move in LEGAL[status])
    assert RunEvent.objects.count() == events + happened
    if not happened:
        before = vars(simulation).copy()
        simulation.refresh_from_db()
        assert {k: v for k, v in vars(simulation).items() if k != "_state"} == {
            k: v for k, v in before.items() if k != "_state"
        }


def test_a_claim_names_the_attempt_and_its_supervisor(new_simulation: New) -> None:
    simulation = in_status(new_simulation, "pending")
    assert (simulation.attempt, simulation.attempt_token) == (1, "token")
    assert simulation.supervisor_host == host()
    identity = (simulation.supervisor_boot_id, simulation.supervisor_pid)
    assert identity == (ME.boot_id, ME.pid)
    assert simulation.supervisor_started == ME.create_time
    assert simulation.heartbeat_at is not None


def test_a_deleted_simulation_cannot_be_claimed(new_simulation: New) -> None:
    pk = new_simulation().pk
    Simulation.objects.all().delete()
    assert not lifecycle.claim(pk, "token", ME)


@pytest.mark.parametrize("move", ["start", "complete", "fail", "stop"])
@pytest.mark.parametrize("status", ["pending", "running"])
def test_another_token_moves_nothing(new_simulation: New, status: str, move: str) -> None:
    simulation = in_status(new_simulation, status)
    Simulation.objects.update(attempt_token="another")
    assert not MOVES[move](simulation.pk)


def test_without_a_token_every_active_simulation_can_be_ended(new_simulation: New) -> None:
    for status in ("queued", "pending", "running"):
        assert lifecycle.stop(in_status(new_simulation, status).pk)
        assert lifecycle.fail(in_status(new_simulation, status).pk, "Why.")


def test_only_queued_stops_nothing_else(new_simulation: New) -> None:
    assert lifecycle.stop(in_status(new_simulation, "queued").pk, only_queued=True)
    assert not lifecycle.stop(in_status(new_simulation, "pending").pk, only_queued=True)
    assert not lifecycle.stop(in_status(new_simulation, "running").pk, only_queued=True)


def test_a_failure_is_recorded_with_its_reason(new_simulation: New) -> None:
    simulation = in_status(new_simulation, "failed")
    assert simulation.error == "Why." and simulation.finished_at is not None
    event = RunEvent.objects.filter(kind="status").last()
    assert event is not None and event.payload == {"status": "failed", "error": "Why."}


def test_a_stop_is_requested_once_and_only_of_active_ones(new_simulation: New) -> None:
    running = in_status(new_simulation, "running")
    assert lifecycle.request_stop(running.pk)
    assert not lifecycle.request_stop(running.pk)
    assert not lifecycle.request_stop(in_status(new_simulation, "completed").pk)


def test_a_beat_returns_the_row_while_the_attempt_holds_it(new_simulation: New) -> None:
    simulation = in_status(new_simulation, "running")
    lifecycle.request_stop(simulation.pk)
    row = lifecycle.beat(simulation.pk, "token")
    assert row is not None and row.stop_requested_at is not None
    assert row.heartbeat_at > simulation.heartbeat_at  # type: ignore[operator]
    assert lifecycle.beat(simulation.pk, "another") is None
    lifecycle.stop(simulation.pk)
    assert lifecycle.beat(simulation.pk, "token") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_one_wins(new_simulation: New) -> None:
    simulation = new_simulation()
    won: list[str] = []
    barrier = threading.Barrier(8)

    def claim(token: str) -> None:
        barrier.wait()
        if lifecycle.claim(simulation.pk, token, ME):
            won.append(token)
        connections.close_all()

    threads = [threading.Thread(target=claim, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    simulation.refresh_from_db()
    assert won == [simulation.attempt_token] and simulation.attempt == 1
