"""Given sizes, filled by Dirichlet mixtures of classes (Acar et al. 2021, arXiv 2111.04263)."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.errors import DataError
from simulations.fl.partitions.base import (
    NOBODY,
    PARAMS,
    Alpha,
    Indices,
    Known,
    PartitionParams,
    Problems,
    Size,
    by_client,
    one_for_each,
    sizes_exist,
)


class InnerDirichletParams(PartitionParams):
    partition_sizes: list[Size] = Field(description="Samples of each client.")
    alpha: Alpha = Field(
        description="Concentration, of all or of each class; small is heterogeneous."
    )

    def problems(self, known: Known) -> Problems:
        yield from sizes_exist("partition_sizes", self.partition_sizes, known)
        if isinstance(self.alpha, list):
            yield from one_for_each("alpha", len(self.alpha), known.num_classes, "class")


def divide(
    labels: NDArray[np.int64],
    num_clients: int,
    rng: np.random.Generator,
    params: InnerDirichletParams,
) -> list[Indices]:
    """Let clients draw samples in turn, each of a class drawn from the client's own mixture.

    A class that is exhausted leaves all mixtures; raises DataError when nothing is left of one.
    """
    pools = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    alpha = np.broadcast_to(np.asarray(params.alpha, dtype=np.float64), (len(pools),))
    mixtures = rng.dirichlet(alpha, size=num_clients)
    cumulative = _cumulative(mixtures)
    owner = np.full(len(labels), NOBODY)
    left = list(params.partition_sizes)
    hungry = list(range(num_clients))
    for _ in range(sum(left)):
        client = _next(hungry, left, rng)
        left[client] -= 1
        while not pools[drawn := _class(client, cumulative, rng)]:
            mixtures[:, drawn] = 0
            mixtures = _scaled(mixtures, mixtures.sum(axis=1))
            cumulative = _cumulative(mixtures)
        owner[pools[drawn].pop()] = client
    return by_client(owner, num_clients)


def _next(hungry: list[int], left: list[int], rng: np.random.Generator) -> int:
    """Return one of the clients that want samples, each as likely, and forget those that do not."""
    while True:
        place = int(rng.integers(0, len(hungry)))
        if left[hungry[place]]:
            return hungry[place]
        del hungry[place]


def _class(client: int, cumulative: list[list[float]], rng: np.random.Generator) -> int:
    if cumulative[client][-1] == 0:
        raise DataError(
            f"{PARAMS}: inner_dirichlet wants for client {client} only samples of classes that "
            "other clients have used up; use a larger alpha or smaller partition_sizes"
        )
    return bisect_right(cumulative[client], rng.random())


def _cumulative(mixtures: NDArray[np.float64]) -> list[list[float]]:
    sums = np.cumsum(mixtures, axis=1)
    rows: list[list[float]] = _scaled(sums, sums[:, -1]).tolist()
    return rows


def _scaled(rows: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide each row by its total, one that is all zero by nothing."""
    return rows / np.where(totals == 0, 1, totals)[:, np.newaxis]
