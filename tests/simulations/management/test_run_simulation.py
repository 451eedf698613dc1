from __future__ import annotations

import io
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from simulations import processes
from simulations.models import RoundMetrics, Simulation
from tests.servers import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_ends_with_a_table_and_the_folder_on_standard_output(
    command: Any, with_engine: Any, config_file: Any, good: str, out_dir: Any
) -> None:
    with_engine(good)
    result = command("run_simulation", config_file())
    simulation = Simulation.objects.get()
    assert result.code == 0 and simulation.status == "completed"
    assert simulation.simulation_id.startswith("cli_run_")
    for word in ("strategy", "rounds", "global accuracy", "loss", "seconds"):
        assert word in result.out
    assert "fedavg" in result.out and "3/3" in result.out and "0.5000" in result.out
    assert result.out.splitlines()[-1] == str(out_dir / simulation.simulation_id)


def test_progress_goes_to_standard_error_without_colours_in_a_pipe(
    command: Any, with_engine: Any, config_file: Any, good: str
) -> None:
    with_engine(good)
    result = command("run_simulation", config_file())
    assert "round" not in result.out.replace("rounds", "")
    assert "fedavg round 2: accuracy 0.5000, loss 1.0000" in result.err.splitlines()
    assert "seed 7" in result.err and "\x1b" not in result.out + result.err


def test_json_prints_one_object_and_nothing_else(
    command: Any, with_engine: Any, config_file: Any, good: str, out_dir: Any
) -> None:
    with_engine(good)
    result = command("run_simulation", config_file(), "--json")
    told = json.loads(result.out)
    simulation = Simulation.objects.get()
    assert (told["simulation_id"], told["status"]) == (simulation.simulation_id, "completed")
    assert told["folder"] == str(out_dir / simulation.simulation_id)
    assert (told["seed"], told["error"]) == (7, None)
    (strategy,) = told["strategies"]
    assert (strategy["rounds"], strategy["total_rounds"]) == (3, 3)
    assert (strategy["global_accuracy"], strategy["global_loss"]) == (0.5, 1.0)
    assert strategy["seconds"] >= 0


def test_quiet_prints_the_id_alone(
    command: Any, with_engine: Any, config_file: Any, good: str
) -> None:
    with_engine(good)
    result = command("run_simulation", config_file(), "--quiet")
    assert result.out == f"{Simulation.objects.get().simulation_id}\n" and result.err == ""


def test_a_failed_run_exits_with_1_and_the_reason(
    command: Any, with_engine: Any, config_file: Any
) -> None:
    with_engine('tell("run_failed", error="No GPU here."); sys.exit(4)')
    result = command("run_simulation", config_file(), "--quiet")
    assert result.code == 1 and "failed: No GPU here." in result.err


def test_settings_on_the_command_line_win(
    command: Any, with_engine: Any, config_file: Any, good: str
) -> None:
    with_engine(good)
    raw = {
        "shared_settings": {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 9},
        "simulation_strategies": [{}, {"learning_rate": 0.5}],
    }
    result = command(
        "run_simulation",
        config_file(raw),
        "--set=shared_settings.num_of_rounds=3",
        "--set=shared_settings.dataset_keyword=mnist5k",
        "--set=shared_settings.tags=[1, 2]",
        "--set=shared_settings.tags.0=one",
        '--set=shared_settings.tags.1="2"',
        "--set=simulation_strategies.1.learning_rate=0.25",
        "--quiet",
    )
    assert result.code == 0, result.err
    simulation = Simulation.objects.get()
    assert (
        simulation.num_of_rounds == 3 and simulation.config["shared_settings"]["tags"][0] == "one"
    )
    assert simulation.strategies.get(number=1).config["learning_rate"] == 0.25


@pytest.mark.parametrize(
    "assignment", ["rounds", "=3", "a..b=1", "num_of_rounds.x=1", "tags.5=x", ".a=1"]
)
def test_a_bad_assignment_is_a_usage_error(command: Any, config_file: Any, assignment: str) -> None:
    raw = {"num_of_rounds": 3, "tags": ["a"]}
    result = command("run_simulation", config_file(raw), "--set", assignment)
    assert result.code == 2 and f"--set {assignment}" in result.err
    assert not Simulation.objects.exists()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [("{", "not valid JSON"), ("[NaN]", "NaN"), ("[]", "JSON object"), ('{"a":1,"a":2}', "twice")],
)
def test_text_that_is_no_config_is_a_usage_error(
    command: Any, config_file: Any, raw: str, problem: str
) -> None:
    result = command("run_simulation", config_file(raw))
    assert (result.code, result.out) == (2, "") and problem in result.err
    assert len(result.err.splitlines()) == 1


def test_everything_wrong_has_its_own_line(command: Any, config_file: Any) -> None:
    result = command("run_simulation", config_file({"num_of_rounds": 0, "dataset_keyword": "x"}))
    lines = result.err.splitlines()
    assert result.code == 2 and result.out == ""
    for field in ("num_of_rounds", "dataset_keyword", "aggregation_strategy_keyword"):
        assert any(line.startswith(field) for line in lines)


def test_a_missing_file_is_a_usage_error(command: Any) -> None:
    result = command("run_simulation", "/no/such/config.json")
    assert result.code == 2 and result.err == "/no/such/config.json: No such file or directory\n"


def test_an_unknown_option_is_a_usage_error(command: Any, config_file: Any) -> None:
    assert command("run_simulation", config_file(), "--colour").code == 2


def test_a_minus_reads_standard_input(
    command: Any, with_engine: Any, good: str, monkeypatch: pytest.MonkeyPatch, config_file: Any
) -> None:
    with_engine(good)
    given = Path(config_file()).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert command("run_simulation", "-", "--quiet").code == 0


def test_an_output_folder_that_cannot_be_written_is_unavailable(
    command: Any, config_file: Any, out_dir: Any
) -> None:
    out_dir.write_text("a file")
    result = command("run_simulation", config_file())
    assert result.code == 4 and not Simulation.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_gracefully(
    manage: Any, config_file: Any, number: int, tmp_path: Any
) -> None:
    body = f"""
    def leave(*_):
        open({str(tmp_path / "clean")!r}, "w").close()
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    begin()
    round_finished(1)
    time.sleep(600)
    """
    process = manage("run_simulation", config_file(), "--json", body=body)
    eventually(RoundMetrics.objects.exists)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    simulation = Simulation.objects.get()
    assert process.returncode == 130 and simulation.status == "stopped"
    assert json.loads(out)["status"] == "stopped" and "stopped" in err
    assert (tmp_path / "clean").exists()
    assert processes.carriers(simulation.attempt_token) == set()


@pytest.mark.slow
def test_a_second_signal_stops_at_once(manage: Any, config_file: Any, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    body = f"""
    signal.signal(signal.SIGTERM, lambda *_: open({str(asked)!r}, "w").close())
    begin()
    round_finished(1)
    time.sleep(600)
    """
    process = manage("run_simulation", config_file(), body=body, grace_s=600)
    eventually(RoundMetrics.objects.exists)
    process.send_signal(signal.SIGINT)
    eventually(asked.exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    simulation = Simulation.objects.get()
    assert process.returncode == 130 and simulation.status == "stopped"
    assert processes.carriers(simulation.attempt_token) == set()


@pytest.mark.slow
def test_a_queue_does_not_take_it(manage: Any, config_file: Any, endless: str, good: str) -> None:
    manage("run_queue", body=endless)
    process = manage("run_simulation", config_file(), "--json", body=good)
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["status"] == "completed"
    assert Simulation.objects.get().attempt == 1
