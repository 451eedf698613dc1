from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from simulations import lifecycle, processes, services
from simulations.artifacts import folder
from simulations.fl.errors import ConfigError, StorageError
from simulations.models import (
    ClientRound,
    RoundMetrics,
    RunEvent,
    Simulation,
    SimulationTag,
    StrategyRun,
)
from simulations.process_identity import this_process
from simulations.supervisor import supervise
from tests.servers import eventually

pytestmark = pytest.mark.django_db
New = Callable[..., Simulation]
CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "mnist5k",
    "num_of_rounds": 3,
}


def test_a_new_simulation_is_queued_with_rows_and_folder(out_dir: Path) -> None:
    raw = {
        "shared_settings": {
            "aggregation_strategy_keyword": "fedavg",
            "dataset_keyword": "mnist5k",
            "display_name": "Two",
            "tags": ["a", "b", "a"],
            "notes": "n",
            "seed": 5,
        },
        "simulation_strategies": [
            {"num_of_rounds": 3},
            {"num_of_rounds": 4, "learning_rate": 0.5},
        ],
    }
    submission = services.create(raw)
    simulation = submission.simulation
    assert submission.is_new and simulation.status == "queued"
    assert re.fullmatch(r"api_run_\d{8}_\d{6}_\d{6}", simulation.simulation_id)
    assert (simulation.rounds_total, simulation.num_of_rounds) == (7, 4)
    assert (simulation.display_name, simulation.notes, simulation.seed) == ("Two", "n", 5)
    assert (simulation.strategy_names, simulation.num_of_strategies) == ("fedavg", 2)
    assert simulation.config == raw
    assert sorted(SimulationTag.objects.values_list("name", flat=True)) == ["a", "b"]
    runs = list(StrategyRun.objects.all())
    assert [(run.number, run.total_rounds) for run in runs] == [(0, 3), (1, 4)]
    assert runs[1].config["learning_rate"] == 0.5 and runs[1].config["seed"] == 5
    assert RunEvent.objects.get().payload == {"status": "queued"}
    names = {path.name for path in (out_dir / simulation.simulation_id).iterdir()}
    assert names == {"config.json", "status.json"}


def test_a_seed_is_drawn_and_recorded() -> None:
    seeds = {services.create(CONFIG).simulation.seed for _ in range(5)}
    assert len(seeds) == 5
    assert all(StrategyRun.objects.filter(config__seed=seed).exists() for seed in seeds)


@pytest.mark.parametrize("raw", [{}, [], None, {**CONFIG, "num_of_rounds": 0}])
def test_an_invalid_config_leaves_nothing(raw: Any, out_dir: Path) -> None:
    with pytest.raises(ConfigError):
        services.create(raw)
    assert not Simulation.objects.exists() and not out_dir.exists()


def test_ids_made_in_one_microsecond_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 24, 12, 0, 0, 999_998, UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    ids = [services.create(CONFIG).simulation.simulation_id for _ in range(4)]
    assert ids == [
        "api_run_20261124_120000_999998",
        "api_run_20261124_120000_999999",
        "api_run_20261124_120001_000000",
        "api_run_20261124_120001_000001",
    ]


@pytest.mark.django_db(transaction=True)
def test_threads_that_create_at_once_all_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 11, 24, 12, 0, 0, 0, UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    ids: list[str] = []

    def create() -> None:
        ids.append(services.create(CONFIG).simulation.simulation_id)
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 6 == Simulation.objects.count()


def test_an_idempotency_key_makes_one_simulation() -> None:
    first = services.create(CONFIG, idempotency_key="k")
    second = services.create(CONFIG, idempotency_key="k")
    other = services.create(CONFIG, idempotency_key="l")
    assert (first.is_new, second.is_new, other.is_new) == (True, False, True)
    assert first.simulation.pk == second.simulation.pk != other.simulation.pk


@pytest.mark.django_db(transaction=True)
def test_racing_requests_with_one_key_make_one_simulation() -> None:
    made: list[services.Submission] = []
    barrier = threading.Barrier(6)

    def create() -> None:
        barrier.wait()
        made.append(services.create(CONFIG, idempotency_key="k"))
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Simulation.objects.count() == 1
    assert len({one.simulation.pk for one in made}) == 1 and len(made) == 6
    assert [one.is_new for one in made].count(True) == 1


def test_a_claimed_simulation_is_never_queued_for_others() -> None:
    claim = services.Claim("mine", this_process())
    simulation = services.create(CONFIG, prefix="cli_run", claim=claim).simulation
    assert simulation.simulation_id.startswith("cli_run_")
    assert (simulation.status, simulation.attempt_token) == ("pending", "mine")
    assert simulation.supervisor_pid == os.getpid()
    assert not lifecycle.claim(simulation.pk, "other", this_process())


@pytest.mark.parametrize("claim", [None, services.Claim("mine", this_process())])
def test_a_folder_that_cannot_be_written_leaves_no_simulation(
    out_dir: Path, claim: services.Claim | None
) -> None:
    out_dir.write_text("a file where the folder should be")
    with pytest.raises(StorageError):
        services.create(CONFIG, claim=claim)
    assert not Simulation.objects.exists()


def test_a_queued_simulation_is_stopped_by_itself(new_simulation: New, status_file: Any) -> None:
    simulation = new_simulation()
    assert services.stop(simulation).status == "stopped"
    assert status_file(simulation)["status"] == "stopped"


@pytest.mark.parametrize("end", ["stop", "fail", "complete"])
def test_what_has_ended_cannot_be_stopped(claimed: Any, end: str) -> None:
    simulation, token = claimed()
    lifecycle.start(simulation.pk, token)
    moves = {"stop": lifecycle.stop, "complete": lambda pk: lifecycle.complete(pk, token)}
    moves.get(end, lambda pk: lifecycle.fail(pk, "Why."))(simulation.pk)
    simulation.refresh_from_db()
    with pytest.raises(services.NotAllowed, match=f"already {simulation.status}"):
        services.stop(simulation)


@pytest.mark.django_db(transaction=True)
def test_stopping_a_running_simulation_returns_when_no_process_is_left(
    claimed: Any, options: Any, endless: str
) -> None:
    simulation, token = claimed()

    def work() -> None:
        supervise(simulation.pk, token, options(endless))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    eventually(RoundMetrics.objects.exists)
    simulation.refresh_from_db()
    assert services.stop(simulation).status == "stopped"
    assert processes.carriers(token) == set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_stopping_a_simulation_whose_supervisor_is_dead_ends_its_processes(claimed: Any) -> None:
    simulation, token = claimed()
    Simulation.objects.update(supervisor_started=1.0)
    stray = processes.spawn(["sleep", "600"], token)
    simulation.refresh_from_db()
    assert services.stop(simulation).status == "stopped"
    assert stray.wait(60) < 0 and processes.carriers(token) == set()


def test_a_stop_that_nobody_answers_gives_up_after_the_wait(claimed: Any) -> None:
    simulation, _ = claimed()
    assert services.stop(simulation, wait_s=0.2).status == "pending"
    assert simulation.stop_requested_at is not None


def test_a_name_is_trimmed_and_kept(new_simulation: New) -> None:
    simulation = services.rename(new_simulation(), "  My run \n")
    simulation.refresh_from_db()
    assert simulation.display_name == "My run"


@pytest.mark.parametrize("bad", ["", "  \t", "x" * 101])
def test_an_empty_or_long_name_is_refused(new_simulation: New, bad: str) -> None:
    with pytest.raises(services.InvalidName):
        services.rename(new_simulation(), bad)


def test_deleting_takes_rows_and_folder(new_simulation: New, out_dir: Path) -> None:
    simulation, kept = new_simulation(tags=["t"]), new_simulation()
    run = simulation.strategies.get()
    ClientRound.objects.create(
        strategy_run=run,
        round_number=1,
        client_id=0,
        participated=True,
        is_malicious=False,
        is_removed=False,
        num_examples=1,
    )
    lifecycle.stop(simulation.pk)
    services.delete(simulation)
    assert [row.pk for row in Simulation.objects.all()] == [kept.pk]
    assert StrategyRun.objects.count() == 1 and not ClientRound.objects.exists()
    assert not SimulationTag.objects.exists()
    assert [path.name for path in out_dir.iterdir()] == [kept.simulation_id]


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_an_active_simulation_is_not_deleted(
    new_simulation: New, moves: int, out_dir: Path
) -> None:
    simulation = new_simulation()
    if moves > 0:
        lifecycle.claim(simulation.pk, "t", this_process())
    if moves > 1:
        lifecycle.start(simulation.pk, "t")
    with pytest.raises(services.NotAllowed, match="stop it first"):
        services.delete(simulation)
    assert Simulation.objects.exists() and (out_dir / simulation.simulation_id).exists()


def test_deleting_judges_the_row_not_the_object(new_simulation: New) -> None:
    simulation = new_simulation()
    lifecycle.stop(simulation.pk)
    stale = Simulation.objects.get()
    Simulation.objects.update(status="queued", finished_at=None)
    with pytest.raises(services.NotAllowed, match="queued"):
        services.delete(stale)


def test_deleting_many_tells_of_each(new_simulation: New) -> None:
    done, active = new_simulation(), new_simulation()
    lifecycle.stop(done.pk)
    ids = [done.simulation_id, active.simulation_id, "nobody", done.simulation_id]
    deleted, failed = services.delete_many(ids)
    assert deleted == [done.simulation_id]
    assert [entry["simulation_id"] for entry in failed] == [active.simulation_id, "nobody"]
    assert "stop it first" in failed[0]["error"] and "no such" in failed[1]["error"]


def test_a_check_leaves_nothing(out_dir: Path) -> None:
    assert services.check(CONFIG).strategies[0].num_of_rounds == 3
    assert not Simulation.objects.exists() and not out_dir.exists()


def test_folders_of_the_created_are_where_the_folder_module_says(new_simulation: New) -> None:
    assert folder.run_dir(new_simulation().simulation_id).is_dir()


def test_labels_replace_those_before(new_simulation: New) -> None:
    simulation = new_simulation(tags=["a", "b"], notes="old")
    kept = simulation.tags.get(name="b").pk
    services.relabel(simulation, display_name=" n\0ame ", tags=["b", " c ", "", "c"], notes="new")
    simulation = Simulation.objects.get()
    assert (simulation.display_name, simulation.notes) == ("name", "new")
    assert sorted(simulation.tags.values_list("name", flat=True)) == ["b", "c"]
    assert simulation.tags.get(name="b").pk == kept


@pytest.mark.parametrize(
    ("labels", "fields"),
    [
        ({"display_name": "n" * 101}, {"display_name"}),
        ({"tags": [f"{n}" for n in range(51)], "notes": "n" * 10_001}, {"tags", "notes"}),
        ({"tags": ["fine", "t" * 51]}, {"tags"}),
    ],
)
def test_labels_beyond_the_limits_change_nothing(
    new_simulation: New, labels: dict[str, Any], fields: set[str]
) -> None:
    simulation = new_simulation(display_name="kept", tags=["kept"])
    with pytest.raises(services.InvalidLabels, match="at most") as refused:
        services.relabel(simulation, **{"display_name": "x", "tags": [], "notes": "", **labels})
    assert set(refused.value.problems) == fields
    assert Simulation.objects.get().display_name == "kept"
    assert simulation.tags.get().name == "kept"
