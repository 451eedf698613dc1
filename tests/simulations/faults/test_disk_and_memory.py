"""A full disk or too little memory ends a run with that reason, and leaves no half file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from intellifl.environment import ROOT
from simulations import processes, result_files, services
from simulations.artifacts import folder
from simulations.artifacts.build import build
from simulations.attempt import Options, engine_command
from simulations.fl import journal
from simulations.fl.errors import StorageError
from simulations.models import RoundMetrics, Simulation
from simulations.supervisor import supervise

pytestmark = pytest.mark.django_db(transaction=True)
FULL = "No space left on device"
DIGITS = {"dataset_keyword": "digits", "model_keyword": "cnn_wide", "num_of_clients": 3}


def whole_files(run_dir: Path) -> None:
    """Check that every file readers may fetch is whole, and that no draft is left."""
    for path in run_dir.rglob("*.json"):
        json.loads(path.read_text())
    assert not list(run_dir.rglob(".writing-*"))
    list(journal.read(run_dir))


def fill(place: Path, leave_kib: int = 0) -> Path:
    """Fill the file system but for `leave_kib`; return the file that does."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            size = file.tell() - leave_kib * 1024
            file.truncate(size)
    return ballast


@pytest.mark.slow
@pytest.mark.parametrize("kib", [400, 1200, 3200])
def test_a_disk_that_fills_up_during_a_run_ends_it(
    small_disk: Callable[[int], Path],
    shared_database: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    claimed: Any,
    kib: int,
) -> None:
    settings.OUT_DIR = small_disk(kib)
    monkeypatch.setenv("INTELLIFL_OUT_DIR", str(settings.OUT_DIR))
    simulation, token = claimed(**DIGITS, num_of_rounds=3)
    if kib > 2000:
        fill(settings.OUT_DIR, leave_kib=300)
    supervise(simulation.pk, token, Options(artifacts=["true"]))
    simulation.refresh_from_db()
    assert simulation.status == "failed" and FULL in simulation.error, simulation.error
    run_dir = folder.run_dir(simulation.simulation_id)
    whole_files(run_dir)
    assert processes.carriers(token) == set()
    assert RoundMetrics.objects.count() == simulation.rounds_done


def test_a_full_disk_refuses_a_submission_and_keeps_nothing(
    small_disk: Callable[[int], Path], settings: Any, client: Any, flat: dict[str, Any]
) -> None:
    settings.OUT_DIR = small_disk(64)
    ballast = fill(settings.OUT_DIR)
    answer = client.post("/api/simulations", json.dumps(flat), content_type="application/json")
    assert answer.status_code == 507 and FULL in answer.json()["detail"]
    assert not Simulation.objects.exists()
    assert [path.name for path in settings.OUT_DIR.iterdir()] == ["ballast"]
    ballast.unlink()
    again = client.post("/api/simulations", json.dumps(flat), content_type="application/json")
    assert again.status_code == 201


def test_a_finished_run_can_be_deleted_on_a_full_disk(
    small_disk: Callable[[int], Path], settings: Any, submit: Any, end: Any
) -> None:
    settings.OUT_DIR = small_disk(64)
    simulation = end(submit())
    fill(settings.OUT_DIR)
    services.delete(simulation)
    assert [path.name for path in settings.OUT_DIR.iterdir()] == ["ballast"]


def test_results_that_do_not_fit_are_an_error_and_none_is_half_written(
    small_disk: Callable[[int], Path], settings: Any, submit: Any, record: Any
) -> None:
    settings.OUT_DIR = small_disk(512)
    simulation = submit(save_plots=False)
    record(simulation, rounds=4, clients=3)
    fill(settings.OUT_DIR, leave_kib=12)
    with pytest.raises(StorageError, match=FULL):
        build(simulation)
    run_dir = folder.run_dir(simulation.simulation_id)
    whole_files(run_dir)
    for name in result_files.listed(run_dir):
        assert (run_dir / name).stat().st_size > 0


def test_a_journal_that_cannot_grow_keeps_what_it_has(small_disk: Callable[[int], Path]) -> None:
    place = small_disk(64)
    book = journal.Journal(place / "run", resume=False)
    line = b'{"kind": "run_finished"}\n'
    book.write(line)
    ballast = fill(place)
    with pytest.raises(StorageError, match=f"cannot write events.jsonl: {FULL}"):
        book.write(line * 4000)
    assert (place / "run" / journal.NAME).read_bytes() == line
    ballast.unlink()
    book.write(line)
    assert (place / "run" / journal.NAME).read_bytes() == line * 2


@contextmanager
def full_database() -> Iterator[None]:
    """Leave room for four pages, whatever connection is used."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]

    def limit(connection: Any, **about: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {pages + 4}")

    limit(connection)
    connection_created.connect(limit)
    try:
        yield
    finally:
        connection_created.disconnect(limit)
        connection.close()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="fills SQLite's file")
def test_a_database_that_is_full_ends_the_run(claimed: Any, options: Any) -> None:
    """What has ended the run still fits: an UPDATE of its row needs no new page."""
    simulation, token = claimed()
    clients = "[{'client_id': c, 'participated': True} for c in range(20000)]"
    big = f"begin()\ntell('round_finished', strategy_number=0, round_number=1, clients={clients})"
    with full_database():
        supervise(simulation.pk, token, options(big, database_patience_s=0.5))
    simulation.refresh_from_db()
    assert simulation.status == "failed" and "database or disk is full" in simulation.error
    assert not RoundMetrics.objects.exists() and simulation.rounds_done == 0
    assert processes.carriers(token) == set()


@pytest.mark.slow
def test_too_little_memory_is_told(shared_database: None, claimed: Any) -> None:
    simulation, token = claimed(**DIGITS, num_of_rounds=2)
    limited = f"ulimit -v 600000; exec {' '.join(engine_command(simulation))}"
    supervise(simulation.pk, token, Options(engine=["bash", "-c", limited], artifacts=["true"]))
    simulation.refresh_from_db()
    assert simulation.status == "failed"
    assert re.search("memory|alloc|map segment|primitive|SIGABRT", simulation.error)
    assert processes.carriers(token) == set()


def test_an_engine_that_is_killed_for_lack_of_memory_says_what_it_may_be(
    claimed: Any, options: Any
) -> None:
    simulation, token = claimed()
    supervise(simulation.pk, token, options("begin()\nos.kill(os.getpid(), signal.SIGKILL)"))
    simulation.refresh_from_db()
    assert "killed by SIGKILL; the machine may have run out of memory" in simulation.error


def test_the_engine_alone_tells_a_full_disk(
    small_disk: Callable[[int], Path], flat: dict[str, Any]
) -> None:
    place = small_disk(64)
    fill(place)
    command = [sys.executable, "-m", "simulations.fl", "run", "-", "--out", str(place / "run")]
    done = subprocess.run(
        command, input=json.dumps(flat), text=True, capture_output=True, cwd=ROOT, check=False
    )
    assert done.returncode == 7
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["kind"] == "run_failed" and FULL in told["error"]
