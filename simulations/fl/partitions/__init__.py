"""Partitions by keyword: how samples are divided among clients.

Adding one is a function in this folder and an entry in this table. Entries hold dotted paths,
because the web process reads this table and must not load `datasets`.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulations.fl.partitions.params import DirichletParams, NoParams


@dataclass(frozen=True)
class PartitionSpec:
    """A partition: `path` names divide(labels, num_clients, rng, params) -> indices by client."""

    path: str
    params: type[NoParams] = NoParams


PARTITIONS: dict[str, PartitionSpec] = {
    "iid": PartitionSpec("simulations.fl.partitions.iid:divide"),
    "dirichlet": PartitionSpec("simulations.fl.partitions.dirichlet:divide", DirichletParams),
}
