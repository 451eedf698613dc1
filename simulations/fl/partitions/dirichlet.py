"""Label skew by Dirichlet-distributed shares (Hsu et al. 2019, arXiv 1909.06335)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.errors import DataError
from simulations.fl.partitions.base import (
    PARAMS,
    Alpha,
    Indices,
    Known,
    PartitionParams,
    Problems,
    by_client,
    one_for_each,
)

ATTEMPTS = 11


class DirichletParams(PartitionParams):
    alpha: Alpha = Field(
        0.5, description="Concentration, of all or of each client; small is heterogeneous."
    )
    min_partition_size: int = Field(1, ge=1, description="Least samples of a client.")
    self_balancing: bool = Field(
        True, description="Stop giving to a client that has more than its equal share."
    )

    def problems(self, known: Known) -> Problems:
        if isinstance(self.alpha, list):
            yield from one_for_each("alpha", len(self.alpha), known.num_clients, "client")
        wanted = known.num_clients * self.min_partition_size
        if known.num_samples is not None and wanted > known.num_samples:
            yield (
                f"{PARAMS}.min_partition_size",
                f"{self.min_partition_size} for each of {known.num_clients} clients is more than "
                f"the {known.num_samples} samples there are",
            )


def divide(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: DirichletParams
) -> list[Indices]:
    """Give each client a share of each class drawn from Dirichlet(alpha).

    All is drawn again while a client has too little; raises DataError when that does not help.
    """
    for _ in range(ATTEMPTS):
        owner = _draw(labels, num_clients, rng, params)
        if owner is None:
            continue
        if np.bincount(owner, minlength=num_clients).min() >= params.min_partition_size:
            return by_client(owner, num_clients)
    raise DataError(
        f"{PARAMS}: dirichlet gave some of {num_clients} clients less than min_partition_size "
        f"({params.min_partition_size}) samples in each of {ATTEMPTS} attempts; use a larger "
        "alpha, a smaller min_partition_size or fewer clients"
    )


def _draw(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: DirichletParams
) -> NDArray[np.int64] | None:
    """Return whose each sample is; None if a class is wanted only by clients that have enough."""
    alpha = np.broadcast_to(np.asarray(params.alpha, dtype=np.float64), (num_clients,))
    owner = np.empty(len(labels), dtype=np.int64)
    sizes = np.zeros(num_clients, dtype=np.int64)
    for label in np.unique(labels):
        samples = np.flatnonzero(labels == label)
        shares = rng.dirichlet(alpha)
        if params.self_balancing:
            shares[sizes > len(labels) / num_clients] = 0
            total = np.cumsum(shares)[-1]
            if total == 0:
                return None
            shares /= total
        borders = (np.cumsum(shares) * len(samples)).astype(np.int64)[:-1]
        counts = np.diff(borders, prepend=0, append=len(samples))
        owner[samples] = np.repeat(np.arange(num_clients), counts)
        sizes += counts
    return owner
