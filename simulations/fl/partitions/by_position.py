"""Sizes that grow with the client's number, of a random order: linear, square, exponential."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulations.fl.partitions.base import Indices, Known, PartitionParams, Problems, cut

Positions: TypeAlias = NDArray[np.float64]


class GrowingParams(PartitionParams):
    """Client i of 1 to n gets a share in proportion to `units`."""

    def units(self, position: Positions) -> Positions:
        raise NotImplementedError

    def problems(self, known: Known) -> Problems:
        if known.num_samples is None or self.sizes(known.num_clients, known.num_samples).all():
            return
        most = next(
            n - 1
            for n in range(2, known.num_clients + 1)
            if not self.sizes(n, known.num_samples).all()
        )
        yield (
            "partitioning_strategy",
            f"leaves the first of {known.num_clients} clients without one of the "
            f"{known.num_samples} samples; use at most {most} clients or another partition",
        )

    def sizes(self, num_clients: int, num_samples: int) -> NDArray[np.int64]:
        """Return the samples of each client; the last one gets what rounding down leaves."""
        units = self.units(np.arange(1, num_clients + 1, dtype=np.float64))
        sizes: NDArray[np.int64] = (units / units.sum() * num_samples).astype(np.int64)
        sizes[-1] += num_samples - sizes.sum()
        return sizes


class LinearParams(GrowingParams):
    def units(self, position: Positions) -> Positions:
        return position


class SquareParams(GrowingParams):
    def units(self, position: Positions) -> Positions:
        return position**2


class ExponentialParams(GrowingParams):
    def units(self, position: Positions) -> Positions:
        # Relative to the last, so that it cannot overflow; only ratios matter.
        units: Positions = np.exp(position - position[-1])
        return units


def divide(
    samples: NDArray[Any], num_clients: int, rng: np.random.Generator, params: GrowingParams
) -> list[Indices]:
    """Shuffle and cut into parts of growing size."""
    return cut(rng.permutation(len(samples)), params.sizes(num_clients, len(samples)))
