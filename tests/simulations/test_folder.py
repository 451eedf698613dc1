from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from simulations import lifecycle
from simulations.artifacts import folder
from simulations.fl import atomic
from simulations.fl.errors import StorageError
from simulations.models import Simulation

pytestmark = pytest.mark.django_db
New = Callable[..., Simulation]


@pytest.mark.parametrize(
    "bad", ["", "..", "a/b", "/etc", "a b", "a.b", "x" * 65, "ä", "a\n", "a\0"]
)
def test_a_bad_id_names_no_folder(bad: str) -> None:
    with pytest.raises(ValueError, match="not a simulation id"):
        folder.run_dir(bad)


def test_the_folder_is_absolute_though_the_setting_is_not(settings: Any) -> None:
    settings.OUT_DIR = Path("somewhere")
    assert folder.run_dir("a_1") == Path.cwd() / "somewhere" / "a_1"


def test_a_submission_writes_the_config_as_submitted_and_the_status(
    new_simulation: New, out_dir: Path, status_file: Any
) -> None:
    simulation = new_simulation(display_name="Ünicode")
    config = json.loads((out_dir / simulation.simulation_id / "config.json").read_text())
    assert config == simulation.config and config["display_name"] == "Ünicode"
    state = status_file(simulation)
    assert state["simulation_id"] == simulation.simulation_id
    assert (state["status"], state["progress"], state["error"]) == ("queued", 0.0, None)
    assert (state["total_rounds"], state["total_strategies"]) == (3, 1)


def test_the_mirror_shows_the_row_not_the_object_it_was_given(
    new_simulation: New, status_file: Any
) -> None:
    simulation = new_simulation()
    lifecycle.fail(simulation.pk, "It broke.")
    folder.mirror_status(simulation)
    assert simulation.status == "queued"
    assert (status_file(simulation)["status"], status_file(simulation)["error"]) == (
        "failed",
        "It broke.",
    )


def test_the_mirror_does_not_bring_back_the_folder_of_a_deleted_row(
    new_simulation: New, out_dir: Path
) -> None:
    simulation = new_simulation()
    pk = simulation.pk
    simulation.delete()
    folder.remove(simulation.simulation_id)
    simulation.pk = pk
    folder.mirror_status(simulation)
    assert list(out_dir.iterdir()) == []


def test_a_row_that_changes_while_it_is_written_is_written_again(
    new_simulation: New, status_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = new_simulation()
    write = atomic.write_text

    def stop_meanwhile(path: Path, text: str) -> None:
        lifecycle.stop(simulation.pk)
        write(path, text)

    monkeypatch.setattr(atomic, "write_text", stop_meanwhile)
    folder.mirror_status(simulation)
    assert status_file(simulation)["status"] == "stopped"


def test_a_row_deleted_while_it_is_written_leaves_no_folder(
    new_simulation: New, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = new_simulation()
    write = atomic.write_text

    def delete_meanwhile(path: Path, text: str) -> None:
        Simulation.objects.all().delete()
        write(path, text)

    monkeypatch.setattr(atomic, "write_text", delete_meanwhile)
    folder.mirror_status(simulation)
    assert list(out_dir.iterdir()) == []


def test_a_mirror_that_cannot_be_written_only_warns(
    new_simulation: New, out_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulation = new_simulation()
    path = out_dir / simulation.simulation_id / "status.json"
    path.unlink()
    path.mkdir()
    folder.mirror_status(simulation)
    assert "cannot write status.json" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_many_threads_may_mirror_at_once(new_simulation: New, status_file: Any) -> None:
    simulation = new_simulation()
    problems: list[BaseException] = []

    def mirror() -> None:
        try:
            for _ in range(20):
                folder._write_status(simulation)
        except BaseException as error:
            problems.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=mirror) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and status_file(simulation)["status"] == "queued"
    names = {path.name for path in folder.run_dir(simulation.simulation_id).iterdir()}
    assert names == {"config.json", "status.json"}


def test_the_tail_of_the_log(new_simulation: New, out_dir: Path) -> None:
    simulation_id = new_simulation().simulation_id
    assert folder.log_tail(simulation_id, 2) == []
    text = "first\n" + "x" * 20_000 + "\n\nlast but one\n\xff".replace("\xff", "") + "last\n"
    (out_dir / simulation_id / "output.log").write_bytes(text.encode() + b"\xff\n")
    assert folder.log_tail(simulation_id, 3) == ["last but one", "last", "�"]


def test_a_line_added_to_the_log_has_time_and_level(new_simulation: New, out_dir: Path) -> None:
    simulation_id = new_simulation().simulation_id
    (out_dir / simulation_id / "output.log").write_text("before\n")
    folder.append_log(simulation_id, "WARNING", "careful")
    first, second = (out_dir / simulation_id / "output.log").read_text().splitlines()
    assert first == "before"
    head, _, message = second.partition(" ")
    assert message == "WARNING careful"
    assert abs(datetime.fromisoformat(head) - timezone.now()) < timedelta(seconds=5)


def test_removing_takes_everything_and_twice_is_once(out_dir: Path) -> None:
    (out_dir / "run_1" / "deep" / "er").mkdir(parents=True)
    (out_dir / "run_1" / "deep" / "er" / "file").write_text("x")
    (out_dir / "run_2").mkdir()
    folder.remove("run_1")
    folder.remove("run_1")
    assert [path.name for path in out_dir.iterdir()] == ["run_2"]


def test_removing_follows_no_link(out_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (out_dir / "run_1").mkdir(parents=True)
    (out_dir / "run_1" / "link").symlink_to(tmp_path / "elsewhere")
    (out_dir / "run_2").symlink_to(tmp_path / "elsewhere")
    folder.remove("run_1")
    folder.remove("run_2")
    assert list(out_dir.iterdir()) == []
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_a_folder_that_cannot_be_removed_is_an_error_that_names_it(
    out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (out_dir / "run_1").mkdir(parents=True)
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(StorageError, match="run_1: Permission denied"):
        folder.remove("run_1")
