"""Equal parts of a random order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulations.fl.partitions.params import NoParams


def divide(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: NoParams
) -> list[NDArray[np.int64]]:
    """Shuffle and cut into parts whose sizes differ by one at most."""
    return [np.sort(part) for part in np.array_split(rng.permutation(len(labels)), num_clients)]
