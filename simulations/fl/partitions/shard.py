"""Blocks of the samples sorted by class (McMahan et al. 2017, arXiv 1602.05629)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.partitions.base import (
    NOBODY,
    PARAMS,
    Indices,
    Known,
    PartitionParams,
    Problems,
    by_client,
)


class ShardParams(PartitionParams):
    num_shards_per_partition: int | None = Field(
        None, ge=1, description="Shards of a client; as many as there are when absent."
    )
    shard_size: int | None = Field(
        None, ge=1, description="Samples of a shard; as many as there are when absent."
    )
    keep_incomplete_shard: bool = Field(
        False, description="Use the last shard although it is smaller; not if both are given."
    )

    def problems(self, known: Known) -> Problems:
        if self.num_shards_per_partition is None and self.shard_size is None:
            yield f"{PARAMS}.num_shards_per_partition", "is required, or shard_size instead of it"
        elif known.num_samples is not None:
            yield from self._too_few(known.num_clients, known.num_samples)

    def _too_few(self, num_clients: int, num_samples: int) -> Problems:
        size = self.size(num_clients, num_samples) or 1
        wanted = num_clients * (self.num_shards_per_partition or 1)
        there = self.num_shards(num_clients, num_samples)
        if there < wanted:
            yield (
                PARAMS,
                f"shard needs {wanted} shards of {size} samples for {num_clients} clients, but "
                f"there are {num_samples} samples; use smaller or fewer shards or fewer clients",
            )

    def size(self, num_clients: int, num_samples: int) -> int:
        """Return the samples of a shard; 0 if there are more shards than samples."""
        if self.shard_size is not None:
            return self.shard_size
        return num_samples // (num_clients * (self.num_shards_per_partition or 1))

    def num_shards(self, num_clients: int, num_samples: int) -> int:
        """Return how many shards there are to choose from."""
        size = self.size(num_clients, num_samples)
        if size == 0:
            return 0
        both = self.num_shards_per_partition is not None and self.shard_size is not None
        is_rounded_up = self.keep_incomplete_shard and not both
        return -(-num_samples // size) if is_rounded_up else num_samples // size


def divide(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: ShardParams
) -> list[Indices]:
    """Sort the samples by class, cut them into shards and deal these out at random.

    Without a number of shards per client all are dealt, the first clients getting one more.
    """
    size = params.size(num_clients, len(labels))
    shards = rng.permutation(params.num_shards(num_clients, len(labels)))
    by_class = np.argsort(labels, kind="stable")
    owner = np.full(len(labels), NOBODY)
    if params.num_shards_per_partition is None:
        hands = np.array_split(shards, num_clients)
    else:
        dealt = shards[: num_clients * params.num_shards_per_partition]
        hands = np.split(dealt, num_clients)
    for client, hand in enumerate(hands):
        for shard in hand:
            owner[by_class[shard * size : (shard + 1) * size]] = client
    return by_client(owner, num_clients)
