"""Equal parts of a random order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.partitions.base import Indices, PartitionParams


def divide(
    samples: NDArray[Any], num_clients: int, rng: np.random.Generator, params: PartitionParams
) -> list[Indices]:
    """Shuffle and cut into parts whose sizes differ by one at most."""
    return [np.sort(part) for part in np.array_split(rng.permutation(len(samples)), num_clients)]
