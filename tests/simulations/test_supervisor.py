from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulations import lifecycle, processes, recorder, supervisor
from simulations.attempt import Options
from simulations.models import ClientRound, RoundMetrics, RunEvent, Simulation, StrategyRun
from simulations.supervisor import supervise
from tests.servers import eventually
from tests.simulations.supervised import Claimed, InThread, run

pytestmark = pytest.mark.django_db(transaction=True)


def log_of(simulation: Simulation, out_dir: Any) -> str:
    return str((out_dir / simulation.simulation_id / "output.log").read_text())


def test_a_good_engine_completes(
    claimed: Claimed, options: Any, good: str, status_file: Any
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(good))
    assert (simulation.status, simulation.error, simulation.progress) == ("completed", "", 1.0)
    assert simulation.started_at and simulation.finished_at
    assert RoundMetrics.objects.count() == 3
    assert status_file(simulation)["status"] == "completed"
    assert status_file(simulation)["progress"] == 1.0
    statuses = [e.payload["status"] for e in RunEvent.objects.filter(kind="status")]
    assert statuses == ["queued", "pending", "running", "completed"]


def test_the_engine_gets_the_resolved_config_folder_and_token(
    claimed: Claimed, options: Any, out_dir: Any
) -> None:
    simulation, token = claimed(seed=11)
    body = """
    config = json.load(sys.stdin)
    strategy = config["simulation_strategies"][0]
    print(strategy["seed"], strategy["model_keyword"], file=sys.stderr)
    print(os.environ["INTELLIFL_RUN_TOKEN"], os.environ["INTELLIFL_OUT_DIR"], file=sys.stderr)
    tell("run_finished")
    """
    run(simulation, token, options(body))
    assert log_of(simulation, out_dir).splitlines() == ["11 cnn", f"{token} {out_dir}"]


def test_a_failing_engine_gives_its_sentence(claimed: Claimed, options: Any) -> None:
    simulation, token = claimed()
    body = 'tell("run_failed", error="No GPU here.", exit_code=4); sys.exit(4)'
    run(simulation, token, options(body))
    assert (simulation.status, simulation.error) == ("failed", "No GPU here.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('print("last words", file=sys.stderr); sys.exit(3)', "exit code 3"),
        ('print("last words", file=sys.stderr); sys.exit(0)', "exit code 0"),
        ('print("last words", file=sys.stderr, flush=True); os.kill(os.getpid(), 9)', "SIGKILL"),
        ('print("last words", file=sys.stderr, flush=True); os.abort()', "SIGABRT"),
    ],
)
def test_an_engine_that_dies_without_a_word_fails_with_code_and_log(
    claimed: Claimed, options: Any, body: str, reason: str
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(body))
    assert simulation.status == "failed"
    assert reason in simulation.error and "last words" in simulation.error


def test_finished_but_bad_exit_code_is_a_failure(claimed: Claimed, options: Any) -> None:
    simulation, token = claimed()
    run(simulation, token, options('tell("run_finished"); sys.exit(9)'))
    assert simulation.status == "failed" and "exit code 9" in simulation.error


@pytest.mark.parametrize(
    "line",
    ["hello", '{"kind": "nonsense"}', '{"kind": "run_finished", "x": 1}', "[1]", '{"kind":', "NaN"],
)
def test_a_malformed_line_is_a_failure_that_shows_the_line(
    claimed: Claimed, options: Any, line: str
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(f"print({line!r}, flush=True); time.sleep(600)"))
    assert simulation.status == "failed" and line in simulation.error


@pytest.mark.parametrize(
    "body",
    ["begin(strategy=5)", "begin(); round_finished(1); round_finished(1)", "round_finished(0)"],
)
def test_an_event_that_does_not_fit_the_simulation_is_a_failure(
    claimed: Claimed, options: Any, body: str
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(f"{body}; time.sleep(600)"))
    assert simulation.status == "failed" and "cannot be recorded" in simulation.error


def test_an_engine_that_cannot_be_started_is_a_failure(claimed: Claimed, options: Any) -> None:
    simulation, token = claimed()
    run(simulation, token, replace(options(""), engine=["/no/such/program"]))
    assert simulation.status == "failed" and "exit code" in simulation.error


def test_a_last_line_without_line_end_counts(claimed: Claimed, options: Any) -> None:
    simulation, token = claimed()
    body = """sys.stdout.write('{"kind": "run_finished"}'); sys.stdout.flush()"""
    assert run(simulation, token, options(body)).status == "completed"


def test_a_line_of_megabytes_is_read(claimed: Claimed, options: Any) -> None:
    simulation, token = claimed()
    body = 'tell("run_started", num_strategies=1, device="d" * 3_000_000, num_workers=1, '
    body += 'versions={}); tell("run_finished")'
    assert run(simulation, token, options(body)).status == "completed"


def test_a_finished_simulation_is_not_run_again(claimed: Claimed, options: Any, good: str) -> None:
    simulation, token = claimed()
    lifecycle.stop(simulation.pk)
    assert run(simulation, token, options(good)).status == "stopped"
    assert not RoundMetrics.objects.exists()


def test_failed_artifacts_warn_and_do_not_falsify_the_status(
    claimed: Claimed, options: Any, good: str, out_dir: Any
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(good, artifacts=["sh", "-c", "echo broken >&2; exit 5"]))
    assert simulation.status == "completed"
    warning = RunEvent.objects.get(kind="warning")
    assert "exit code 5" in warning.payload["message"]
    log = log_of(simulation, out_dir)
    assert "broken" in log and "WARNING" in log and "exit code 5" in log


def test_artifacts_are_built_before_the_status_is_completed(
    claimed: Claimed, options: Any, good: str, status_file: Any, out_dir: Any
) -> None:
    simulation, token = claimed()
    path = out_dir / simulation.simulation_id
    run(simulation, token, options(good, artifacts=["cp", f"{path}/status.json", f"{path}/then"]))
    assert '"running"' in (path / "then").read_text()


def test_an_engine_that_does_not_exit_after_its_last_event_is_ended(
    claimed: Claimed, options: Any
) -> None:
    simulation, token = claimed()
    run(simulation, token, options('tell("run_finished"); time.sleep(600)', exit_s=0.2))
    assert simulation.status == "failed" and "did not exit" in simulation.error


def test_building_artifacts_may_take_longer_than_the_engine_may_to_exit(
    claimed: Claimed, options: Any, good: str
) -> None:
    simulation, token = claimed()
    run(simulation, token, options(good, artifacts=["sleep", "1"], exit_s=0.5))
    assert (simulation.status, simulation.error) == ("completed", "")


def test_an_engine_that_closes_its_output_and_works_on_is_waited_for(
    claimed: Claimed, options: Any
) -> None:
    simulation, token = claimed()
    run(simulation, token, options('tell("run_finished"); os.close(1); time.sleep(0.5)'))
    assert simulation.status == "completed"


def test_the_heartbeat_goes_on_while_the_engine_is_silent(
    claimed: Claimed, options: Any, endless: str, in_thread: InThread
) -> None:
    simulation, token = claimed()
    thread = in_thread(supervise, simulation.pk, token, options(endless))
    eventually(RoundMetrics.objects.exists)
    before = Simulation.objects.get().heartbeat_at
    assert before is not None

    def beats_on() -> bool:
        heartbeat_at = Simulation.objects.get().heartbeat_at
        return heartbeat_at is not None and heartbeat_at > before

    eventually(beats_on)
    lifecycle.request_stop(simulation.pk)
    thread.join(60)


def test_a_database_that_is_away_for_a_moment_is_waited_for(
    claimed: Claimed, options: Any, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    real, failures = recorder.record, iter([True, True])

    def record(*args: Any) -> bool:
        if next(failures, False):
            raise OperationalError("database is locked")
        return real(*args)

    simulation, token = claimed()
    monkeypatch.setattr(recorder, "record", record)
    monkeypatch.setattr(supervisor, "RETRY_S", 0.01)
    assert run(simulation, token, options(good)).status == "completed"
    assert StrategyRun.objects.get().current_round == 3


@pytest.mark.slow
def test_the_real_engine_runs_is_recorded_and_its_results_are_built(
    shared_database: None, claimed: Claimed, out_dir: Any, status_file: Any
) -> None:
    simulation, token = claimed(num_of_rounds=2, num_of_clients=3, num_of_client_epochs=1)
    run(simulation, token, Options())
    assert (simulation.status, simulation.error, simulation.progress) == ("completed", "", 1.0)
    rounds = RoundMetrics.objects.order_by("round_number")
    assert [row.round_number for row in rounds] == [1, 2]
    assert all(0 < (row.global_accuracy or 0) <= 1 for row in rounds)
    assert ClientRound.objects.count() == 6
    strategy = StrategyRun.objects.get()
    assert strategy.final_accuracy == rounds[1].global_accuracy
    assert len(strategy.client_sizes) == 3 and strategy.finished_at is not None
    assert not RunEvent.objects.filter(kind="warning").exists()
    assert (out_dir / simulation.simulation_id / "plot_data_0.json").exists()
    assert processes.carriers(token) == set()
    assert status_file(simulation)["progress"] == 1.0
