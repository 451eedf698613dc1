"""How samples and their classes are spread over the clients, as a run's folder tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl import atomic, strict_json

Counts = NDArray[np.int64]
NAME = "partition_{}.json"
PLACES = 6


@dataclass(frozen=True)
class LabelDistribution:
    """Each client's samples, for training and validation together.

    `counts` (clients, classes) is None for samples without labels. Of the training set `unused`
    samples have no client. `attackers` attack in some round; `target_classes` are what they want.
    """

    sizes: Counts
    counts: Counts | None
    class_names: Sequence[str] = ()
    unused: int = 0
    attackers: Sequence[int] = ()
    target_classes: Sequence[int] = ()
    partitioning_strategy: str = ""
    partitioning_params: dict[str, Any] = field(default_factory=dict)


def class_counts(parts: Sequence[Counts], labels: Counts, num_classes: int) -> Counts:
    """Return how many samples of each class each client has, (clients, classes)."""
    return np.stack([np.bincount(labels[part], minlength=num_classes) for part in parts])


def total_variation(counts: Counts) -> NDArray[np.float64]:
    """Return each client's total-variation distance to all clients together, from 0 to 1.

    It is half the sum over classes of |share in the client - share in all|.
    """
    own = counts / counts.sum(axis=1, keepdims=True)
    together = counts.sum(axis=0) / counts.sum()
    distances: NDArray[np.float64] = np.abs(own - together).sum(axis=1) / 2
    return distances


def heterogeneity(spread: LabelDistribution) -> dict[str, float | int]:
    """Return the numbers that sum up how unlike the clients are; all means are over clients."""
    sizes = spread.sizes
    numbers: dict[str, float | int] = {
        "size_min": int(sizes.min()),
        "size_median": float(np.median(sizes)),
        "size_max": int(sizes.max()),
        "size_variation": _rounded(np.std(sizes) / np.mean(sizes)),
    }
    if spread.counts is not None:
        distances = total_variation(spread.counts)
        present = (spread.counts > 0).sum(axis=1)
        numbers |= {
            "total_variation_mean": _rounded(distances.mean()),
            "total_variation_max": _rounded(distances.max()),
            "classes_min": int(present.min()),
            "classes_mean": _rounded(present.mean()),
        }
    return numbers


def write(run_dir: Path, strategy_number: int, spread: LabelDistribution) -> None:
    """Write the file of a strategy into the run's folder; raise StorageError."""
    content = {
        "strategy_number": strategy_number,
        "partitioning_strategy": spread.partitioning_strategy,
        "partitioning_params": spread.partitioning_params,
        "heterogeneity": heterogeneity(spread),
        "unused": spread.unused,
        "class_names": list(spread.class_names),
        "attackers": list(spread.attackers),
        "target_classes": list(spread.target_classes),
        "sizes": spread.sizes.tolist(),
        "class_counts": None if spread.counts is None else spread.counts.tolist(),
    }
    text = strict_json.dumps(content) + "\n"
    atomic.write_text(run_dir / NAME.format(strategy_number), text)


def read(run_dir: Path, strategy_number: int) -> LabelDistribution | None:
    """Return what was written, None if the folder has no such file."""
    path = run_dir / NAME.format(strategy_number)
    if not path.is_file():
        return None
    content: Any = strict_json.loads(path.read_bytes())
    counts = content["class_counts"]
    return LabelDistribution(
        sizes=np.asarray(content["sizes"], dtype=np.int64),
        counts=None if counts is None else np.asarray(counts, dtype=np.int64),
        class_names=content["class_names"],
        unused=content["unused"],
        attackers=content["attackers"],
        target_classes=content["target_classes"],
        partitioning_strategy=content["partitioning_strategy"],
        partitioning_params=content["partitioning_params"],
    )


def _rounded(value: np.floating[Any]) -> float:
    return round(float(value), PLACES)
