"""Between a random order and one by the number of the class, as strictly as wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.partitions.base import Indices, Known, PartitionParams, Problems


class ContinuousParams(PartitionParams):
    strictness: float = Field(
        ge=0, le=1, description="0 is a random order, 1 is strictly by class."
    )

    def problems(self, known: Known) -> Problems:
        if known.num_classes == 1 and self.strictness > 0:
            yield "partitioning_strategy", "continuous needs more than one class to sort by"


def divide(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: ContinuousParams
) -> list[Indices]:
    """Sort by strictness * class + (1 - strictness) * noise, both of deviation 1; cut evenly."""
    numbers = labels.astype(np.float32)
    deviation = np.std(numbers)
    standard = (numbers - np.mean(numbers)) / (deviation if deviation > 0 else 1)
    noise = rng.normal(loc=0, scale=1, size=len(labels))
    blended = params.strictness * standard + (1 - params.strictness) * noise
    order = np.argsort(blended, kind="stable")
    return [np.sort(part) for part in np.array_split(order, num_clients)]
