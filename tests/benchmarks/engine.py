"""Whole runs, ours beside a bare loop of torch and Flower on Ray: the same work, taken in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from intellifl.environment import ROOT
from tests.benchmarks.tables import Table, spread

TIMEOUT_S = 900.0
QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Work:
    """What is computed; Adam with a learning rate of 0.001, one epoch of mnist5k a client."""

    name: str
    model: str
    clients: int
    sampled: int
    rounds: int
    batch_size: int


WORKS = (
    Work("100 clients, all in each of 5 rounds, CNN 16-32", "cnn", 100, 100, 5, 20),
    Work(
        "1,000 clients, 10 in each of 100 rounds, logistic regression", "logreg", 1000, 10, 100, 10
    ),
)


@dataclass(frozen=True)
class Measured:
    """Seconds of the whole process and of the rounds, and how good the model is at the end."""

    total_s: float
    rounds_s: float
    accuracy: float


def measure(repetitions: int, data_dir: Path) -> list[Table]:
    return [_table(work, repetitions, data_dir) for work in WORKS]


def _table(work: Work, repetitions: int, data_dir: Path) -> Table:
    contenders: dict[str, Callable[[], Measured]] = {
        "intellifl, 1 worker": lambda: ours(work, 1, data_dir),
        "intellifl, 2 workers": lambda: ours(work, 2, data_dir),
        "bare loop of torch, 1 process": lambda: peer("bare_loop", work, data_dir),
        "Flower on Ray, 2 actors": lambda: peer("flower", work, data_dir),
    }
    taken: dict[str, list[Measured]] = {name: [] for name in contenders}
    for number in range(repetitions):
        for name, contender in contenders.items():
            taken[name].append(contender())
            told = taken[name][-1]
            print(f"  {work.name}, {number + 1}: {name}: {told}", file=sys.stderr, flush=True)
    bare = median(one.rounds_s for one in taken["bare loop of torch, 1 process"])
    flower = median(one.total_s for one in taken["Flower on Ray, 2 actors"])
    rows = [
        [
            name,
            spread([one.total_s for one in found]),
            spread([one.rounds_s for one in found]),
            f"{median(one.rounds_s for one in found) / bare:.2f}",
            f"{flower / median(one.total_s for one in found):.1f} x",
            f"{median(one.accuracy for one in found):.3f}",
        ]
        for name, found in taken.items()
    ]
    headings = ["", "whole process, s", "rounds, s", "rounds / bare", "Flower / whole", "accuracy"]
    return Table(work.name, headings, rows)


def ours(work: Work, workers: int, data_dir: Path) -> Measured:
    """Run the engine as the queue does: a process that prints its events."""
    config = {
        "aggregation_strategy_keyword": "fedavg",
        "dataset_keyword": "mnist5k",
        "model_keyword": work.model,
        "num_of_rounds": work.rounds,
        "num_of_clients": work.clients,
        "fraction_fit": work.sampled / work.clients,
        "batch_size": work.batch_size,
        "training_subset_fraction": 1.0,
        "fraction_evaluate": 1 / work.clients,
        "training_device": "cpu",
        "seed": 3,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        options = ["run", str(path), "--out", f"{folder}/out", "--workers", str(workers)]
        command = ["simulations.fl", *options, "--data-dir", str(data_dir)]
        total_s, lines = _timed(command)
    events = [json.loads(line) for line in lines]
    rounds = [event for event in events if event["kind"] == "round_finished"]
    if len(rounds) != work.rounds:
        raise RuntimeError(f"our run ended with {events[-1]}")
    seconds = sum(event["round_seconds"] for event in rounds)
    return Measured(total_s, seconds, rounds[-1]["global_accuracy"])


def peer(name: str, work: Work, data_dir: Path) -> Measured:
    """Run a program of `tests.benchmarks.peers`, whose last line tells what it measured."""
    options = {
        "model": work.model,
        "clients": work.clients,
        "sampled": work.sampled,
        "rounds": work.rounds,
        "batch-size": work.batch_size,
        "data-dir": data_dir,
    }
    given = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    total_s, lines = _timed([f"tests.benchmarks.peers.{name}", *given])
    told: dict[str, Any] = json.loads(next(line for line in reversed(lines) if line[:1] == "{"))
    return Measured(total_s, told["rounds_s"], told["accuracy"])


def _timed(command: Sequence[str]) -> tuple[float, list[str]]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **QUIET, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return time.perf_counter() - began, done.stdout.splitlines()
