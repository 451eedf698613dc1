"""The engine as a program: its two streams, exit codes, signals, and going on after a crash."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from simulations.fl import events
from simulations.fl.events import (
    Event,
    RoundFinished,
    RunFailed,
    RunStarted,
    StrategyFinished,
    StrategyStarted,
)
from tests.servers import eventually

CONFIG = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "digits",
    "num_of_rounds": 3,
    "num_of_clients": 4,
    "seed": 5,
}
LONG = {**CONFIG, "num_of_rounds": 10_000}
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} (INFO|WARNING|ERROR) .+")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def command(tmp_path: Path, data_dir: Path) -> Callable[..., list[str]]:
    def build(config: Any, *options: str, program: str = "simulations.fl") -> list[str]:
        path = tmp_path / "run.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        folders = ["--out", str(tmp_path / "run"), "--data-dir", str(data_dir)]
        return [sys.executable, "-m", program, "run", str(path), *folders, *options]

    return build


def finish(
    command: list[str], **options: Any
) -> tuple[list[Event], subprocess.CompletedProcess[str]]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return [events.from_line(line) for line in done.stdout.splitlines()], done


def rounds(told: list[Event]) -> dict[tuple[int, int], RoundFinished]:
    """Return the last telling of each (strategy, round), without times."""
    return {
        (event.strategy_number, event.round_number): dataclasses.replace(
            event,
            round_seconds=None,
            score_calculation_time_ns=None,
            clients=[dataclasses.replace(client, train_seconds=None) for client in event.clients],
        )
        for event in told
        if isinstance(event, RoundFinished)
    }


def read_until(engine: subprocess.Popen[bytes], kind: str, count: int = 1) -> list[Event]:
    assert engine.stdout is not None
    told: list[Event] = []
    while sum(event.kind == kind for event in told) < count:
        line = engine.stdout.readline()
        assert line, f"the engine ended early after {told}"
        told.append(events.from_line(line))
    return told


def open_files(process: psutil.Process) -> list[Path]:
    return list(Path(f"/proc/{process.pid}/fd").iterdir())


def saved_vector(run_dir: Path, number: int = 0) -> torch.Tensor:
    content = torch.load(run_dir / "checkpoints" / f"strategy_{number}.pt", weights_only=True)
    vector: torch.Tensor = content["vector"]
    return vector


def test_events_go_to_standard_output_and_the_log_to_standard_error(
    command: Callable[..., list[str]],
) -> None:
    told, done = finish(command(CONFIG))
    assert done.returncode == 0
    kinds = ["run_started", "strategy_started", *["round_finished"] * 3, "strategy_finished"]
    assert [event.kind for event in told] == [*kinds, "run_finished"]
    assert all(LOG_LINE.fullmatch(line) for line in done.stderr.splitlines())
    assert "round 3: global accuracy" in done.stderr


def test_a_configuration_comes_through_standard_input(
    command: Callable[..., list[str]],
) -> None:
    arguments = command(CONFIG, "--workers", "1")
    arguments[arguments.index("run") + 1] = "-"
    told, done = finish(arguments, input=json.dumps({**CONFIG, "num_of_rounds": 1}))
    assert done.returncode == 0
    assert len(rounds(told)) == 1


def test_what_libraries_print_does_not_reach_the_events(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    noise = "import os, sys\nprint('loud', flush=True)\nos.write(1, b'louder\\n')\n"
    noise += "from simulations.fl.strategies.fedavg import aggregate as _fedavg\n"
    noise += "def aggregate(*given):\n    print('in a round')\n    os.system('echo a child')\n"
    noise += "    return _fedavg(*given)\n"
    (tmp_path / "noisy.py").write_text(noise)
    chatty = "import runpy, sys\nfrom simulations.fl.strategies import STRATEGIES\n"
    chatty += "import dataclasses\nSTRATEGIES['fedavg'] = dataclasses.replace("
    chatty += "STRATEGIES['fedavg'], path='noisy:aggregate')\n"
    chatty += "runpy.run_module('simulations.fl', run_name='__main__', alter_sys=True)\n"
    (tmp_path / "chatty.py").write_text(chatty)
    paths = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    told, done = finish(
        command(CONFIG, "--workers", "2", program="chatty"), env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0
    assert told[-1].kind == "run_finished"
    for text in ("loud", "louder", "in a round", "a child"):
        assert f"\n{text}\n" in f"\n{done.stderr}"


@pytest.mark.parametrize(
    ("config", "code", "sentence"),
    [
        ({**CONFIG, "trim_ratio": 2}, 2, "trim_ratio: must be less than 0.5"),
        ("{", 2, "not valid JSON"),
        ({**CONFIG, "dataset_keyword": "mnist5k"}, 3, "mnist5k"),
        ({**CONFIG, "training_device": "gpu"}, 4, "needs a CUDA GPU"),
    ],
)
def test_what_cannot_run_is_a_sentence_and_an_exit_code(
    command: Callable[..., list[str]], tmp_path: Path, config: Any, code: int, sentence: str
) -> None:
    if code == 4 and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    told, done = finish(command(config), env=offline)
    assert done.returncode == code
    failure = told[-1]
    assert isinstance(failure, RunFailed)
    assert failure.exit_code == code
    assert sentence in failure.error
    assert bool(failure.errors) == (code == 2)


def test_a_missing_file_and_a_wrong_option_are_told(tmp_path: Path) -> None:
    base = [sys.executable, "-m", "simulations.fl", "run", str(tmp_path / "none.json")]
    told, done = finish([*base, "--out", str(tmp_path)])
    assert done.returncode == 2
    assert isinstance(told[0], RunFailed) and "cannot read" in told[0].error
    told, done = finish([*base, "--out", str(tmp_path), "--workers", "0"])
    assert (told, done.returncode) == ([], 2)
    assert "must be at least 1, not 0" in done.stderr


def test_a_write_failure_is_the_runs_reason(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    told, done = finish(command(CONFIG))
    assert done.returncode == 7
    assert isinstance(told[-1], RunFailed)
    assert "cannot write resolved_config.json" in told[-1].error


@pytest.mark.slow
def test_the_seed_option_replaces_the_configurations(command: Callable[..., list[str]]) -> None:
    short = {**CONFIG, "num_of_rounds": 1}
    own, _ = finish(command(short))
    replaced, _ = finish(command(short, "--seed", "6"))
    wanted, _ = finish(command({**short, "seed": 6}))
    assert rounds(replaced) == rounds(wanted) != rounds(own)


def test_help_names_the_exit_codes_and_loads_no_torch() -> None:
    code = "import runpy, sys\nsys.argv = ['fl', 'run', '--help']\ntry:\n"
    code += "    runpy.run_module('simulations.fl', run_name='__main__', alter_sys=False)\n"
    code += "except SystemExit:\n    print('torch' in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "exit codes" in done.stdout and "--resume" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("module", ["simulations.fl", "simulations.fl.config"])
def test_importing_the_engine_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_run_promptly_and_leaves_no_worker(
    command: Callable[..., list[str]], number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        command(LONG, "--workers", "2"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as engine:
        read_until(engine, "round_finished")
        workers = psutil.Process(engine.pid).children(recursive=True)
        assert len(workers) == 2
        engine.send_signal(number)
        engine.send_signal(number)
        assert engine.wait(60) == code
        assert engine.stderr is not None and b"stopped by SIG" in engine.stderr.read()
        assert not any(worker.is_running() for worker in workers)


def test_a_killed_engine_leaves_no_worker_and_no_open_stream(
    command: Callable[..., list[str]],
) -> None:
    with subprocess.Popen(
        command(LONG, "--workers", "2"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        read_until(engine, "round_finished")
        workers = psutil.Process(engine.pid).children(recursive=True)
        assert engine.stdout is not None
        stream = f"pipe:[{os.fstat(engine.stdout.fileno()).st_ino}]"
        for worker in workers:
            assert stream not in [str(file.readlink()) for file in open_files(worker)]
        engine.kill()
        engine.stdout.read()
        gone, alive = psutil.wait_procs(workers, timeout=60)
    assert (len(gone), alive) == (2, [])


def test_a_killed_worker_ends_the_run_with_the_clients_name(
    command: Callable[..., list[str]],
) -> None:
    slow = {**LONG, "num_of_client_epochs": 200}
    with subprocess.Popen(
        command(slow, "--workers", "2"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        read_until(engine, "strategy_started")
        parent = psutil.Process(engine.pid)
        eventually(lambda: len(parent.children()) == 2)
        workers = parent.children()
        time.sleep(0.5)
        workers[0].kill()
        assert engine.wait(60) == 5
        assert engine.stdout is not None
        failure = events.from_line(engine.stdout.read().splitlines()[-1])
    assert isinstance(failure, RunFailed)
    assert re.search(r"training client \d in round 1 was lost: .* SIGKILL", failure.error)


def test_an_engine_that_nobody_reads_ends(command: Callable[..., list[str]]) -> None:
    with subprocess.Popen(
        command(LONG), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        read_until(engine, "round_finished")
        assert engine.stdout is not None
        engine.stdout.close()
        assert engine.wait(60) == 1


RESUMED: dict[str, Any] = {
    "shared_settings": {
        **CONFIG,
        "num_of_clients": 6,
        "num_of_rounds": 6,
        "fraction_fit": 0.8,
        "remove_clients": True,
        "begin_removing_from_round": 2,
        "attack_schedule": [
            {
                "attack_type": "gradient_scaling",
                "scale_factor": -4.0,
                "start_round": 2,
                "end_round": 6,
                "selection_strategy": "random",
                "malicious_client_count": 1,
            }
        ],
    },
    "simulation_strategies": [
        {"aggregation_strategy_keyword": "trust"},
        {"aggregation_strategy_keyword": "pid"},
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(("every", "kill_after"), [(1, 2), (1, 8), (2, 3), (4, 9)])
def test_a_killed_run_goes_on_to_the_same_end(
    command: Callable[..., list[str]], tmp_path: Path, every: int, kill_after: int
) -> None:
    config = json.loads(json.dumps(RESUMED))
    config["shared_settings"]["checkpoint_every"] = every
    whole, _ = finish(command(config, "--out", str(tmp_path / "whole")))
    expected = rounds(whole)
    assert len(expected) == 12

    with subprocess.Popen(
        command(config), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        before = read_until(engine, "round_finished", kill_after)
        engine.kill()
        assert engine.stdout is not None
        before += [events.from_line(line) for line in engine.stdout.read().splitlines()]
    after, done = finish(command(config, "--resume", "--workers", "1"))
    assert done.returncode == 0
    assert isinstance(after[0], RunStarted) and after[0].resumed
    told, again = rounds(before), rounds(after)
    assert set(told) | set(again) == set(expected)
    for each in (told, again):
        assert all(each[place] == expected[place] for place in each)
    restarted = next(event for event in after if isinstance(event, StrategyStarted))
    assert (restarted.strategy_number, restarted.first_round) == min(again)
    last = max(told)
    assert last[1] - restarted.first_round < every
    finished = [event for event in after if isinstance(event, StrategyFinished)]
    assert [event.strategy_number for event in finished] == [0, 1]
    for number in (0, 1):
        ends = saved_vector(tmp_path / "run", number), saved_vector(tmp_path / "whole", number)
        assert torch.equal(*ends)
