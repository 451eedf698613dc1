"""Partitions by keyword: how samples are divided among clients.

Adding one is a file in this folder and an entry in this table. Their names, parameters and results
are those of flwr-datasets; vertical partitions, which divide columns, have no meaning here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulations.fl.partitions import (
    by_position,
    continuous,
    dirichlet,
    distribution,
    iid,
    inner_dirichlet,
    natural_id,
    pathological,
    shard,
    size,
)
from simulations.fl.partitions.base import Indices, PartitionParams


@dataclass(frozen=True)
class PartitionSpec:
    """A partition: divide(keys, num_clients, rng, params) -> sorted indices by client.

    `keys` (m,) is what it `reads` of each sample: its class, whose it is, or nothing but a number.
    """

    divide: Callable[..., list[Indices]]
    params: type[PartitionParams] = PartitionParams
    reads: Literal["number", "label", "natural id"] = "label"


PARTITIONS: dict[str, PartitionSpec] = {
    "iid": PartitionSpec(iid.divide, reads="number"),
    "size": PartitionSpec(size.divide, size.SizeParams, "number"),
    "linear": PartitionSpec(by_position.divide, by_position.LinearParams, "number"),
    "square": PartitionSpec(by_position.divide, by_position.SquareParams, "number"),
    "exponential": PartitionSpec(by_position.divide, by_position.ExponentialParams, "number"),
    "dirichlet": PartitionSpec(dirichlet.divide, dirichlet.DirichletParams),
    "inner_dirichlet": PartitionSpec(inner_dirichlet.divide, inner_dirichlet.InnerDirichletParams),
    "pathological": PartitionSpec(pathological.divide, pathological.PathologicalParams),
    "shard": PartitionSpec(shard.divide, shard.ShardParams),
    "distribution": PartitionSpec(distribution.divide, distribution.DistributionParams),
    "continuous": PartitionSpec(continuous.divide, continuous.ContinuousParams),
    "natural_id": PartitionSpec(natural_id.divide, natural_id.NaturalIdParams, "natural id"),
    "grouped_natural_id": PartitionSpec(
        natural_id.divide_grouped, natural_id.GroupedNaturalIdParams, "natural id"
    ),
}
