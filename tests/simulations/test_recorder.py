from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, IntegrityError

from simulations import lifecycle, recorder
from simulations.fl.events import (
    ClientMetrics,
    Event,
    RoundFinished,
    RunFailed,
    RunFinished,
    RunStarted,
    SnapshotSaved,
    StrategyFinished,
    StrategyStarted,
)
from simulations.models import ClientRound, RoundMetrics, RunEvent, Simulation, StrategyRun

pytestmark = pytest.mark.django_db
Record = Callable[[Event], bool]
TWO = {
    "aggregation_strategy_keyword": None,
    "shared_settings": {
        "aggregation_strategy_keyword": "fedavg",
        "dataset_keyword": "mnist5k",
        "num_of_clients": 4,
    },
    "simulation_strategies": [{"num_of_rounds": 4}, {"num_of_rounds": 6}],
}


@pytest.fixture
def simulation(db: None) -> Simulation:
    from simulations import services
    from simulations.process_identity import this_process

    raw = {key: value for key, value in TWO.items() if value is not None}
    created = services.create(raw).simulation
    assert lifecycle.claim(created.pk, "token", this_process())
    assert lifecycle.start(created.pk, "token")
    return created


@pytest.fixture
def record(simulation: Simulation) -> Record:
    def call(event: Event) -> bool:
        done = recorder.record(simulation.pk, "token", event)
        simulation.refresh_from_db()
        return done

    return call


def begun(strategy: int = 0, first_round: int = 1) -> StrategyStarted:
    return StrategyStarted(strategy, 1000, [10, 20, 30, 40], first_round)


def round_of(number: int, strategy: int = 0, **values: Any) -> RoundFinished:
    clients = values.pop("clients", [ClientMetrics(client) for client in range(4)])
    return RoundFinished(strategy, number, clients, **values)


def run_of(simulation: Simulation, number: int = 0) -> StrategyRun:
    return simulation.strategies.get(number=number)


def test_a_started_strategy_has_its_size_clients_and_time(
    simulation: Simulation, record: Record
) -> None:
    assert record(begun())
    run = run_of(simulation)
    assert (run.num_parameters, run.client_sizes) == (1000, [10, 20, 30, 40])
    assert run.started_at is not None and run.finished_at is None


def test_a_round_is_recorded_with_every_field(simulation: Simulation, record: Record) -> None:
    client = ClientMetrics(2, 0.1, 0.2, 0.3, 0.4, 0.5, True, True, True, 60, 1.5)
    values: dict[str, Any] = {
        "aggregated_loss": 1.5,
        "average_accuracy": 0.25,
        "average_accuracy_std": 0.125,
        "global_accuracy": 0.75,
        "global_loss": 0.5,
        "attack_success_rate": 0.0,
        "removal_threshold": 2.5,
        "score_calculation_time_ns": 2**40,
        "round_seconds": 3.5,
        "tp": 1,
        "tn": 2,
        "fp": 3,
        "fn": 4,
    }
    record(begun())
    record(round_of(1, clients=[client], **values))
    row = RoundMetrics.objects.get()
    assert {name: getattr(row, name) for name in values} == values
    stored = ClientRound.objects.get()
    assert {name: getattr(stored, name) for name in vars(client)} == vars(client)
    assert (stored.round_number, stored.strategy_run) == (1, run_of(simulation))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_become_null(
    simulation: Simulation, record: Record, bad: float
) -> None:
    record(begun())
    client = ClientMetrics(0, loss=bad, accuracy=bad, removal_criterion=bad)
    record(round_of(1, clients=[client], global_loss=bad, global_accuracy=bad, round_seconds=bad))
    row, stored = RoundMetrics.objects.get(), ClientRound.objects.get()
    assert (row.global_loss, row.global_accuracy, row.round_seconds) == (None, None, None)
    assert (stored.loss, stored.accuracy, stored.removal_criterion) == (None, None, None)
    assert run_of(simulation).final_loss is None
    assert RunEvent.objects.get(kind="round").payload["global_loss"] is None


def test_zero_is_not_null(simulation: Simulation, record: Record) -> None:
    record(begun())
    record(round_of(1, global_loss=0.0, global_accuracy=0.0))
    run = run_of(simulation)
    assert (run.final_loss, run.final_accuracy) == (0.0, 0.0)


def test_the_latest_round_gives_the_final_values(simulation: Simulation, record: Record) -> None:
    record(begun())
    record(round_of(1, global_loss=2.0, global_accuracy=0.5))
    record(round_of(2, global_loss=1.0, global_accuracy=0.75))
    run = run_of(simulation)
    assert (run.current_round, run.final_loss, run.final_accuracy) == (2, 1.0, 0.75)
    assert (simulation.current_strategy, simulation.current_round) == (0, 2)


def test_a_round_event_is_small(record: Record) -> None:
    record(begun())
    record(round_of(1, global_accuracy=0.5, global_loss=1.25))
    assert RunEvent.objects.get(kind="round").payload == {
        "strategy_number": 0,
        "round_number": 1,
        "global_accuracy": 0.5,
        "global_loss": 1.25,
    }


def test_progress_counts_the_rounds_of_all_strategies(
    simulation: Simulation, record: Record
) -> None:
    seen = []
    for strategy, rounds in ((0, 4), (1, 6)):
        record(begun(strategy))
        for number in range(1, rounds + 1):
            record(round_of(number, strategy))
            seen.append(simulation.progress)
        record(StrategyFinished(strategy, rounds))
    assert seen == [pytest.approx(step / 10) for step in range(1, 11)]
    assert simulation.progress == 1.0


def test_the_missing_rounds_of_a_strategy_that_ended_early_count_as_done(
    simulation: Simulation, record: Record
) -> None:
    record(begun())
    record(round_of(1))
    record(StrategyFinished(0, 1, "too few clients are left"))
    assert simulation.progress == pytest.approx(0.4)
    run = run_of(simulation)
    assert (run.current_round, run.ended_early) == (1, "too few clients are left")
    assert run.finished_at is not None
    record(begun(1))
    record(round_of(1, 1))
    assert simulation.progress == pytest.approx(0.5)
    assert (simulation.current_strategy, simulation.current_round) == (1, 1)


def test_a_resumed_strategy_replaces_the_rounds_from_its_first_on(
    simulation: Simulation, record: Record
) -> None:
    record(begun())
    for number in (1, 2, 3):
        record(round_of(number, global_loss=float(number)))
    record(begun(first_round=3))
    assert list(RoundMetrics.objects.values_list("round_number", flat=True)) == [1, 2]
    assert set(ClientRound.objects.values_list("round_number", flat=True)) == {1, 2}
    run = run_of(simulation)
    assert (run.current_round, run.final_loss) == (2, 2.0)
    record(round_of(3, global_loss=9.0))
    assert RoundMetrics.objects.count() == 3 and ClientRound.objects.count() == 12
    assert run_of(simulation).final_loss == 9.0


def test_progress_never_goes_down_when_rounds_are_repeated(
    simulation: Simulation, record: Record
) -> None:
    record(begun())
    for number in (1, 2, 3):
        record(round_of(number))
    record(begun())
    assert simulation.progress == pytest.approx(0.3)
    assert simulation.current_round == 0
    record(round_of(1))
    assert simulation.progress == pytest.approx(0.3)


def test_a_strategy_that_is_begun_again_is_no_longer_finished(
    simulation: Simulation, record: Record
) -> None:
    record(begun())
    started_at = run_of(simulation).started_at
    record(StrategyFinished(0, 0, "why not"))
    record(begun())
    run = run_of(simulation)
    assert (run.finished_at, run.ended_early, run.started_at) == (None, "", started_at)


def test_resuming_one_strategy_leaves_the_other_alone(record: Record) -> None:
    for strategy in (0, 1):
        record(begun(strategy))
        record(round_of(1, strategy))
    record(begun(1))
    assert [row.strategy_run.number for row in RoundMetrics.objects.all()] == [0]


@pytest.mark.parametrize("token", ["another", ""])
def test_another_attempt_writes_nothing(simulation: Simulation, token: str) -> None:
    count = RunEvent.objects.count()
    assert not recorder.record(simulation.pk, token, begun())
    assert not recorder.warn(simulation.pk, token, "?")
    assert RunEvent.objects.count() == count
    assert run_of(simulation).started_at is None


def test_nothing_is_written_after_the_end(simulation: Simulation, record: Record) -> None:
    record(begun())
    lifecycle.stop(simulation.pk, "token")
    count = RunEvent.objects.count()
    assert not record(round_of(1))
    assert RunEvent.objects.count() == count and not RoundMetrics.objects.exists()


def test_a_deleted_simulation_is_lost(simulation: Simulation) -> None:
    pk = simulation.pk
    simulation.delete()
    assert not recorder.record(pk, "token", begun())


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (begun(7), StrategyRun.DoesNotExist),
        (round_of(1, 7), StrategyRun.DoesNotExist),
        (round_of(0), IntegrityError),
        (round_of(5), IntegrityError),
        (round_of(1, clients=[ClientMetrics(3), ClientMetrics(3)]), IntegrityError),
        (round_of(1, tp="many"), ValueError),
        (round_of(1, global_loss=[1]), TypeError),
        (round_of(1, score_calculation_time_ns=2**70), (OverflowError, DataError)),
        (round_of(1, clients=[ClientMetrics("x")]), ValueError),  # type: ignore[arg-type]
    ],
)
@pytest.mark.django_db(transaction=True)
def test_an_event_that_does_not_fit_records_nothing(
    simulation: Simulation,
    record: Record,
    event: Event,
    error: type[Exception] | tuple[type[Exception], ...],
) -> None:
    record(begun())
    before = RunEvent.objects.count()
    with pytest.raises(error):
        record(event)
    assert RunEvent.objects.count() == before
    assert not RoundMetrics.objects.exists() and not ClientRound.objects.exists()
    assert run_of(simulation).current_round == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_round_twice_is_refused_and_kept_once(record: Record) -> None:
    record(begun())
    record(round_of(1, global_loss=1.0))
    with pytest.raises(IntegrityError):
        record(round_of(1, global_loss=2.0))
    assert RoundMetrics.objects.get().global_loss == 1.0


def test_a_round_without_clients_is_recorded(record: Record) -> None:
    record(begun())
    assert record(round_of(1, clients=[]))
    assert RoundMetrics.objects.count() == 1


def test_every_kind_of_event_leaves_one_row_in_order(
    simulation: Simulation, record: Record
) -> None:
    told: list[Event] = [
        RunStarted(2, "cpu", 2, {"torch": "2"}),
        begun(),
        round_of(1),
        SnapshotSaved(0, 1, 3, "label_flipping", "a/b.png"),
        StrategyFinished(0, 1),
        RunFinished(),
        RunFailed("No.", 3, ["a: b"]),
    ]
    assert all(record(event) for event in told)
    assert recorder.warn(simulation.pk, "token", "careful")
    kinds = list(RunEvent.objects.exclude(kind="status").values_list("kind", flat=True))
    assert kinds == [
        "run_started",
        "strategy_started",
        "round",
        "snapshot_saved",
        "strategy_finished",
        "run_finished",
        "run_failed",
        "warning",
    ]


def test_recording_counts_as_a_heartbeat(simulation: Simulation, record: Record) -> None:
    simulation.refresh_from_db()
    before = simulation.heartbeat_at
    record(RunFinished())
    assert before is not None and simulation.heartbeat_at is not None
    assert simulation.heartbeat_at > before


def test_recording_leaves_a_stop_request_and_a_rename_alone(
    simulation: Simulation, record: Record
) -> None:
    lifecycle.request_stop(simulation.pk)
    Simulation.objects.filter(pk=simulation.pk).update(display_name="new")
    record(begun())
    assert simulation.stop_requested_at is not None and simulation.display_name == "new"


def test_a_round_of_a_thousand_clients_takes_few_queries(
    record: Record, django_assert_max_num_queries: Any
) -> None:
    record(begun())
    for number, count in enumerate((1, 1000), 1):
        clients = [ClientMetrics(c, 0.5, 0.5, 0.5, 0.5, 0.5, True) for c in range(count)]
        with django_assert_max_num_queries(30):
            record(round_of(number, clients=clients))
    assert ClientRound.objects.count() == 1001
