"""Which samples or coordinates an attack touches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def share_of(ratio: float, total: int) -> int:
    """Return `ratio` of `total`, rounded to the nearest number (halves up), at least one of any."""
    return min(total, max(1, int(ratio * total + 0.5)))


def choose(ratio: float, candidates: Indices, rng: np.random.Generator) -> Indices:
    """Return a random share of `candidates` in ascending order."""
    size = share_of(ratio, len(candidates))
    return np.sort(rng.choice(candidates, size=size, replace=False, shuffle=False))


def take(samples: Any, indices: Indices) -> Any:
    """Return copies of the samples at `indices`: of an array, or of a list of texts."""
    if isinstance(samples, list):
        return [samples[index] for index in indices]
    return samples[indices]


def copy_of(samples: Any) -> Any:
    """Return a copy that can be changed without changing `samples`."""
    return samples.copy()
