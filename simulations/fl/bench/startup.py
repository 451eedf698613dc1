"""How long a run takes until its first round begins and how much memory it holds, by clients.

It runs the engine as the queue does, as a process of its own, and looks at that process and its
workers from outside. Memory is what they hold together; pages that they share count once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import psutil

from simulations.fl import events, strict_json
from simulations.fl.events import RoundFinished, RunFailed

INTERVAL_S = 0.1
MB = 1e6


@dataclass(frozen=True)
class Cost:
    """What a run of one round cost: seconds of wall-clock time, of computing, and bytes."""

    num_clients: int
    startup_s: float
    startup_cpu_s: float
    startup_bytes: int
    round_s: float
    round_bytes: int


@dataclass(frozen=True)
class Sample:
    """What a process and its children hold and have computed at a moment."""

    at: float
    held_bytes: int
    cpu_s: float


class Watch(Thread):
    """Looks at a process and its children while they live."""

    def __init__(self, process_id: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(process_id)
        self._over = Flag()
        self.samples: list[Sample] = []

    def run(self) -> None:
        while not self._over.wait(INTERVAL_S):
            self.samples.append(_sample(self._process))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def between(self, since: float, until: float) -> list[Sample]:
        return [sample for sample in self.samples if since <= sample.at <= until]


def measure(config: dict[str, Any], data_dir: Path, workers: int | None) -> Cost:
    """Run one round of `config`; raise RuntimeError when the engine cannot."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "simulations.fl", "run", "-"]
        command += ["--out", folder, "--data-dir", str(data_dir)]
        command += [] if workers is None else ["--workers", str(workers)]
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as engine:
            watch = Watch(engine.pid)
            watch.start()
            assert engine.stdin is not None
            engine.stdin.write(strict_json.dumps(config).encode())
            engine.stdin.close()
            try:
                told, ended = _first_round(engine)
            finally:
                watch.stop()
    round_s = told.round_seconds or 0.0
    first = ended - round_s
    before, during = watch.between(began, first), watch.between(first, ended)
    return Cost(
        num_clients=config["num_of_clients"],
        startup_s=first - began,
        startup_cpu_s=max((sample.cpu_s for sample in before), default=0.0),
        startup_bytes=max((sample.held_bytes for sample in before), default=0),
        round_s=round_s,
        round_bytes=max((sample.held_bytes for sample in during), default=0),
    )


def table(costs: list[Cost]) -> str:
    """Return the measurements as Markdown."""
    rows = [
        f"| {cost.num_clients:,} | {cost.startup_s:.1f} s | {cost.startup_cpu_s:.1f} s "
        f"| {cost.startup_bytes / MB:,.0f} MB | {cost.round_s:.1f} s "
        f"| {cost.round_bytes / MB:,.0f} MB |"
        for cost in costs
    ]
    head = "| clients | start-up | CPU of it | memory until then | first round | memory in it |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows])


def main() -> int:
    given = _arguments()
    costs = []
    for num_clients in given.clients:
        config = {
            "aggregation_strategy_keyword": given.strategy,
            "dataset_keyword": given.dataset,
            "num_of_rounds": 1,
            "num_of_clients": num_clients,
            "partitioning_strategy": "dirichlet",
            "partitioning_params": {"alpha": 0.3},
            "seed": 1,
            **({"model_keyword": given.network} if given.network else {}),
        }
        costs.append(measure(config, given.data_dir, given.workers))
    print(table(costs))
    return 0


def _first_round(engine: subprocess.Popen[bytes]) -> tuple[RoundFinished, float]:
    """Return the event of the round and when it came."""
    assert engine.stdout is not None
    for event in map(events.from_line, engine.stdout):
        if isinstance(event, RoundFinished):
            return event, time.perf_counter()
        if isinstance(event, RunFailed):
            raise RuntimeError(event.error)
    raise RuntimeError("the engine ended without a round")


def _sample(process: psutil.Process) -> Sample:
    costs = [_cost(one) for one in _family(process)]
    return Sample(
        at=time.perf_counter(),
        held_bytes=sum(held for held, _ in costs),
        cpu_s=sum(cpu for _, cpu in costs),
    )


def _family(process: psutil.Process) -> Iterator[psutil.Process]:
    yield process
    try:
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:  # It ended meanwhile.
        return


def _cost(process: psutil.Process) -> tuple[int, float]:
    try:
        times = process.cpu_times()
        return int(process.memory_full_info().pss), times.user + times.system
    except psutil.NoSuchProcess:  # It ended meanwhile.
        return 0, 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulations.fl.bench.startup", description=__doc__
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[10, 100, 1000], metavar="N")
    parser.add_argument("--dataset", default="fashion_mnist", metavar="KEYWORD")
    parser.add_argument("--network", metavar="KEYWORD", help="default: the dataset's")
    parser.add_argument("--strategy", default="fedavg", metavar="KEYWORD")
    parser.add_argument("--workers", type=int, metavar="N", help="default: as many as the cores")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("INTELLIFL_DATA_DIR", "data")),
        metavar="DIR",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
