from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from simulations.models import StrategyRun


@pytest.fixture
def failed(
    submit: Callable[..., Any],
    record: Callable[..., StrategyRun],
    end: Callable[..., Any],
) -> Any:
    """A simulation that failed after two of four rounds."""
    simulation = submit(save_plots=False)
    record(simulation, rounds=2)
    return end(simulation, "failed", error="the engine died")


def test_files_of_a_failed_run_are_made_anew_and_listed(
    failed: Any, out_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("rebuild_artifacts", failed.simulation_id)
    folder = out_dir / failed.simulation_id
    listed = capsys.readouterr().out.splitlines()
    assert "csv/round_metrics_0.csv" in listed
    assert all((folder / name).is_file() for name in listed)
    assert len((folder / "csv" / "round_metrics_0.csv").read_text().splitlines()) == 3
    assert "the engine died" in (folder / "report.html").read_text()


def test_quiet_lists_nothing(
    failed: Any, out_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("rebuild_artifacts", failed.simulation_id, "--quiet")
    assert capsys.readouterr().out == ""
    assert (out_dir / failed.simulation_id / "MANIFEST.json").is_file()


@pytest.mark.parametrize("simulation_id", ["api_run_unknown", "../escape"])
def test_an_unknown_simulation_has_its_own_exit_code(
    db: None, simulation_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_artifacts", simulation_id)
    assert ended.value.code == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "simulation" in captured.err


def test_a_folder_that_cannot_be_written_fails_with_a_sentence(
    failed: Any, out_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out_dir / failed.simulation_id / "csv").write_text("in the way")
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_artifacts", failed.simulation_id)
    assert ended.value.code == 1
    assert "cannot write round_metrics_0.csv" in capsys.readouterr().err
