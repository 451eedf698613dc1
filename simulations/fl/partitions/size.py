"""Parts of given sizes, of a random order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.partitions.base import (
    Indices,
    Known,
    PartitionParams,
    Problems,
    Size,
    cut,
    sizes_exist,
)


class SizeParams(PartitionParams):
    partition_sizes: list[Size] = Field(description="Samples of each client.")

    def problems(self, known: Known) -> Problems:
        return sizes_exist("partition_sizes", self.partition_sizes, known)


def divide(
    samples: NDArray[Any], num_clients: int, rng: np.random.Generator, params: SizeParams
) -> list[Indices]:
    """Shuffle and cut; samples beyond the sum of the sizes have no client."""
    return cut(rng.permutation(len(samples)), np.array(params.partition_sizes))
