"""Folders without a row become simulations again; what was deleted does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from intellifl.environment import ROOT
from simulations import services
from simulations.artifacts import folder
from simulations.fl import journal
from simulations.fl.errors import StorageError
from simulations.fl.events import (
    ClientMetrics,
    Event,
    RoundFinished,
    RunFailed,
    RunFinished,
    StrategyFinished,
    StrategyStarted,
)
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun

pytestmark = pytest.mark.django_db
CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "trust",
    "dataset_keyword": "digits",
    "num_of_rounds": 3,
    "num_of_clients": 2,
    "seed": 5,
    "tags": ["paper"],
}


def round_finished(number: int) -> RoundFinished:
    clients = [ClientMetrics(c, loss=number + c / 3, num_examples=7) for c in range(2)]
    return RoundFinished(
        0, number, clients, global_accuracy=number / 7, score_calculation_time_ns=9
    )


ROUNDS: list[Event] = [StrategyStarted(0, 10, [5, 6]), *(round_finished(n) for n in (1, 2, 3))]
ALL: list[Event] = [*ROUNDS, StrategyFinished(0, 3), RunFinished()]


@pytest.fixture
def left(out_dir: Path) -> Callable[..., Path]:
    """Return a writer of folders in which nothing has happened for an hour."""

    def write(name: str, events: list[Event] = ALL, config: Any = CONFIG, **status: Any) -> Path:
        path = out_dir / name
        path.mkdir(parents=True)
        files = {folder.CONFIG: json.dumps(config)}
        files |= {folder.STATUS: json.dumps(status)} if status else {}
        files |= {journal.NAME: "".join(event.to_line() + "\n" for event in events)}
        for file, text in files.items():
            (path / file).write_text(text)
        grow_old(path)
        return path

    return write


def grow_old(path: Path) -> None:
    for entry in (*path.iterdir(), path):
        os.utime(entry, (time.time() - 3600,) * 2)


def imported() -> list[str]:
    return [str(one) for one in services.import_folders()]


def test_a_folder_without_a_row_becomes_a_simulation(left: Any) -> None:
    created = "2026-01-02T03:04:05+00:00"
    left("api_run_1", status="completed", seed=5, created_at=created, finished_at=created)
    assert imported() == ["api_run_1 imported from its folder"]
    row = Simulation.objects.get()
    assert (row.status, row.error, row.progress, row.seed) == ("completed", "", 1.0, 5)
    assert row.config == CONFIG and [tag.name for tag in row.tags.all()] == ["paper"]
    assert row.created_at.isoformat() == created
    run = StrategyRun.objects.get()
    assert (run.keyword, run.num_parameters, run.client_sizes) == ("trust", 10, [5, 6])
    assert run.config["beta_value"] == 0.75 and run.final_accuracy == 3 / 7
    rounds = RoundMetrics.objects.order_by("round_number")
    assert [one.global_accuracy for one in rounds] == [1 / 7, 2 / 7, 3 / 7]
    assert [one.score_calculation_time_ns for one in rounds] == [9, 9, 9]
    clients = ClientRound.objects.order_by("round_number", "client_id")
    assert [one.loss for one in clients] == [n + c / 3 for n in (1, 2, 3) for c in range(2)]
    assert imported() == []


@pytest.mark.parametrize(
    ("events", "status", "ending"),
    [
        (ALL, {}, ("completed", "")),
        (ROUNDS, {"status": "stopped"}, ("stopped", "")),
        ([*ROUNDS, RunFailed("Disk full.")], {"status": "failed"}, ("failed", "Disk full.")),
        (ROUNDS, {"status": "failed", "error": "killed"}, ("failed", "killed")),
        (ALL, {"status": "failed", "error": "strays"}, ("failed", "strays")),
    ],
)
def test_it_has_the_end_that_the_folder_tells(
    left: Any, events: list[Event], status: dict[str, str], ending: tuple[str, str]
) -> None:
    left("run", events, **status)
    imported()
    row = Simulation.objects.get()
    assert (row.status, row.error) == ending and row.finished_at is not None


def test_a_run_that_was_cut_off_has_failed_and_can_be_resumed(left: Any) -> None:
    path = left("run", ROUNDS[:3], status="running")
    (path / "checkpoints").mkdir()
    (path / "checkpoints" / "strategy_0.pt").write_bytes(b"")
    grow_old(path)
    imported()
    row = Simulation.objects.get()
    assert row.status == "failed" and "does not tell how it ended" in row.error
    assert services.resume(row).status == "queued"
    assert row.rounds_done == 2


def test_rounds_that_an_attempt_repeated_count_once(left: Any) -> None:
    again = StrategyStarted(0, 10, [5, 6], first_round=2)
    left("run", [*ROUNDS[:3], again, *ROUNDS[2:], StrategyFinished(0, 3), RunFinished()])
    imported()
    assert RoundMetrics.objects.count() == 3
    assert Simulation.objects.get().status == "completed"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (folder.CONFIG, "{"),
        (folder.CONFIG, "[]"),
        (folder.CONFIG, '{"aggregation_strategy_keyword": "unheard of"}'),
        (folder.STATUS, "half"),
        (journal.NAME, "no event\n"),
        (journal.NAME, '{"kind": "strategy_started", "strategy_number": 9, "num_parameters": 1, '
         '"client_sizes": []}\n'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_left_as_it_is(left: Any, file: str, text: str) -> None:
    left("good")
    path = left("strange")
    (path / file).write_text(text)
    grow_old(path)
    good, problem = imported()
    assert good == "good imported from its folder"
    assert problem.startswith("strange could not be imported from its folder: ")
    assert [row.simulation_id for row in Simulation.objects.all()] == ["good"]
    assert (path / file).read_text() == text


def test_what_is_no_run_is_left_alone(out_dir: Path, left: Any) -> None:
    left("a b")
    (out_dir / "notes").mkdir()
    (out_dir / "file").write_text("")
    (out_dir / "link").symlink_to(left("real"))
    for entry in out_dir.iterdir():
        os.utime(entry, (0, 0), follow_symlinks=False)
    assert imported() == ["real imported from its folder"]
    assert len(list(out_dir.iterdir())) == 5


def test_a_folder_in_which_something_happens_is_left_alone(left: Any) -> None:
    path = left("run")
    (path / folder.LOG).write_text("a line")
    assert imported() == []


def test_what_was_deleted_does_not_come_back(left: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = left("run")
    imported()

    def broken(simulation_id: str) -> None:
        raise StorageError("cut off here")

    with monkeypatch.context() as patch:
        patch.setattr(folder, "remove", broken)
        with pytest.raises(StorageError):
            services.delete(Simulation.objects.get())
    assert path.exists() and not Simulation.objects.exists()
    grow_old(path)
    assert imported() == [] and not path.exists()


def test_a_removal_that_was_cut_off_is_finished(out_dir: Path, left: Any) -> None:
    grave = left(".deleting-run-12345678")
    assert imported() == [] and not grave.exists()


def test_a_row_without_a_folder_says_so(client: Client, submit: Any, capsys: Any) -> None:
    row = submit()
    url = f"/api/simulations/{row.simulation_id}"
    assert client.get(url).json()["has_folder"] is True
    folder.remove(row.simulation_id)
    assert client.get(url).json()["has_folder"] is False
    page = client.get(f"/simulations/{row.simulation_id}/").content.decode()
    assert "folder of this simulation is gone" in page
    assert folder.without_folder() == [row.simulation_id]


@pytest.mark.slow
def test_a_run_of_the_engine_alone_is_imported(out_dir: Path, settings: Any) -> None:
    command = [sys.executable, "-m", "simulations.fl", "run", "-", "--out", str(out_dir / "alone")]
    command += ["--data-dir", str(Path(settings.DATA_DIR).resolve())]
    config = {**CONFIG, "model_keyword": "cnn_wide"}
    done = subprocess.run(
        command, input=json.dumps(config), text=True, capture_output=True, cwd=ROOT, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    grow_old(out_dir / "alone")
    assert imported() == ["alone imported from its folder"]
    accuracies = [event["global_accuracy"] for event in told if event["kind"] == "round_finished"]
    rounds = RoundMetrics.objects.order_by("round_number")
    assert [row.global_accuracy for row in rounds] == accuracies
    assert Simulation.objects.get().status == "completed"
