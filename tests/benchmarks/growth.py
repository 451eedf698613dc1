"""How the time of a round grows with the clients that train in it, four samples each."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

import matplotlib

from intellifl.environment import ROOT
from tests.benchmarks.engine import Work, ours
from tests.benchmarks.tables import Table

CLIENTS = 1000
SAMPLED = (10, 30, 100, 300, 1000)
ROUNDS = 5
FIGURE = ROOT / "docs" / "figures" / "growth.png"


def measure(repetitions: int, data_dir: Path) -> list[Table]:
    taken = {
        sampled: [_round_ms(sampled, data_dir) for _ in range(repetitions)] for sampled in SAMPLED
    }
    rounds = {sampled: median(found) for sampled, found in taken.items()}
    _draw(rounds)
    rows = [
        [f"{sampled:,}", f"{4 * sampled:,}", f"{ms:.0f}", f"{ms / sampled:.2f}"]
        for sampled, ms in rounds.items()
    ]
    headings = ["clients a round", "samples", "a round, ms", "a client, ms"]
    return [Table("Growth: CNN 16-32, two workers, 1,000 clients in all", headings, rows)]


def _round_ms(sampled: int, data_dir: Path) -> float:
    work = Work("growth", "cnn", CLIENTS, sampled, ROUNDS, 20)
    found = 1000 * ours(work, 2, data_dir).rounds_s / ROUNDS
    print(f"  growth, {sampled} clients: {found:.0f} ms", file=sys.stderr, flush=True)
    return found


def _draw(rounds: dict[int, float]) -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.2), layout="constrained")
    axes.loglog(list(rounds), list(rounds.values()), "o-")
    axes.set_xlabel("clients a round, four samples each")
    axes.set_ylabel("a round, ms")
    axes.grid(True, which="major", alpha=0.3)
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=110)
