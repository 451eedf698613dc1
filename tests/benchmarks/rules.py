"""One aggregation by each rule, ours beside ByzFL's and Flower's, on the same updates in turn."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
import torch

from simulations.fl.aggregation import rule
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import Context
from tests.benchmarks.tables import Table

N, D, F = 50, 500_000, 10
SEED = 1
Call = Callable[[], Any]


def measure(repetitions: int) -> list[Table]:
    """Time every rule with one thread; a multiple is that of one pass over the matrix."""
    torch.set_num_threads(1)
    updates = torch.from_numpy(np.random.default_rng(SEED).normal(size=(N, D)).astype(np.float32))
    calls: dict[tuple[str, str], Call] = {("one pass: sum", "ours"): updates.sum}
    calls |= {(keyword, "ours"): _ours(keyword, updates) for keyword in sorted(STRATEGIES)}
    calls |= {(name, "ByzFL"): call for name, call in _byzfl(updates).items()}
    calls |= {(name, "Flower"): call for name, call in _flower(updates).items()}
    taken = _in_turn(calls, repetitions)
    once = median(taken["one pass: sum", "ours"])
    names = list(dict.fromkeys(name for name, _ in calls))
    rows = [_row(name, taken, once) for name in names]
    title = f"One aggregation: n = {N}, d = {D:,}, f = {F}, float32, one thread"
    return [Table(title, ["", "ours, ms", "passes", "ByzFL, ms", "Flower, ms", "gain"], rows)]


def _in_turn(
    calls: dict[tuple[str, str], Call], repetitions: int
) -> dict[tuple[str, str], list[float]]:
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for number in range(repetitions + 1):
        for key, call in calls.items():
            began = time.perf_counter()
            call()
            # The first time warms caches up.
            if number:
                taken[key].append(1e3 * (time.perf_counter() - began))
        print(f"  rules, {number} of {repetitions}", file=sys.stderr, flush=True)
    return taken


def _row(name: str, taken: dict[tuple[str, str], list[float]], once: float) -> list[str]:
    ours = median(taken[name, "ours"])
    peers = {
        peer: median(taken[name, peer]) for peer in ("ByzFL", "Flower") if (name, peer) in taken
    }
    gain = f"{min(peers.values()) / ours:.1f} x" if peers else "–"
    shown = [f"{peers[peer]:.0f}" if peer in peers else "–" for peer in ("ByzFL", "Flower")]
    return [name, f"{ours:.0f}", f"{ours / once:.1f}", *shown, gain]


def _ours(keyword: str, updates: torch.Tensor) -> Call:
    chosen = rule(keyword, f=F)
    context = Context(
        round_number=1,
        client_ids=tuple(range(N)),
        weights=torch.ones(N, dtype=torch.float64),
        start=torch.zeros(D),
        kept=torch.ones(N, dtype=torch.bool),
        num_malicious=F,
        parameters=chosen.settings(N),
    )
    return lambda: chosen.function(updates, context, {})


def _byzfl(updates: torch.Tensor) -> dict[str, Call]:
    aggregators = _aggregators_of_byzfl()
    found = {
        "krum": aggregators.Krum(F),
        "multi-krum": aggregators.MultiKrum(F),
        "trimmed_mean": aggregators.TrMean(F),
        "rfa": aggregators.GeometricMedian(),
    }
    return {name: lambda peer=peer: peer(updates) for name, peer in found.items()}  # type: ignore[misc]


def _aggregators_of_byzfl() -> Any:
    """Import them without the package's `__init__`, which needs torchvision, and without SciPy.

    SciPy measures distances of arrays; those of tensors, as here, are torch's.
    """
    found = importlib.util.find_spec("byzfl")
    if found is None or found.submodule_search_locations is None:
        raise RuntimeError("byzfl is not installed; make .venv/.dev installs it")
    package = ModuleType("byzfl")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["byzfl"] = package
    if importlib.util.find_spec("scipy") is None:
        for name in ("scipy", "scipy.spatial"):
            sys.modules[name] = ModuleType(name)
        sys.modules["scipy.spatial"].distance = None  # type: ignore[attr-defined]
    return importlib.import_module("byzfl.aggregators.aggregators")


def _flower(updates: torch.Tensor) -> dict[str, Call]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from flwr.server.strategy import aggregate as flower
    results: Any = [([row.numpy()], 1) for row in updates]
    return {
        "fedavg": lambda: flower.aggregate(results),
        "krum": lambda: flower.aggregate_krum(results, F, 0),
        "multi-krum": lambda: flower.aggregate_krum(results, F, N - F),
        "trimmed_mean": lambda: flower.aggregate_trimmed_avg(results, F / N),
        "bulyan": lambda: flower.aggregate_bulyan(
            list(results), F, flower.aggregate_krum, to_keep=0
        ),
    }
