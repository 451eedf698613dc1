"""Clients that exist: the writers of the samples, one each or in groups."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.partitions.base import (
    PARAMS,
    Indices,
    Known,
    PartitionParams,
    Problems,
    by_client,
)

Groups = list[NDArray[np.int64]]


class NaturalIdParams(PartitionParams):
    def problems(self, known: Known) -> Problems:
        if known.num_ids is not None and known.num_clients > known.num_ids:
            yield (
                "num_of_clients",
                f"{known.num_clients} clients are more than the {known.num_ids} natural ids of "
                "the training samples; use at most as many clients",
            )


class GroupedNaturalIdParams(PartitionParams):
    group_size: int = Field(ge=1, description="Natural ids of a client.")
    mode: Literal["allow-smaller", "allow-bigger", "drop-reminder", "strict"] = Field(
        "allow-smaller",
        description="Ids that are left: a smaller last group, bigger first ones, none, an error.",
    )
    sort_unique_ids: bool = Field(
        False, description="Group ids in alphabetical order, not in that of the samples."
    )

    def problems(self, known: Known) -> Problems:
        if known.num_ids is None:
            return
        if self.mode == "strict" and known.num_ids % self.group_size:
            yield (
                f"{PARAMS}.group_size",
                f"{self.group_size} does not divide the {known.num_ids} natural ids, as mode "
                "strict asks; use another group_size or mode",
            )
            return
        there = self.num_groups(known.num_ids)
        if known.num_clients > there:
            yield (
                "num_of_clients",
                f"{known.num_clients} clients are more than the {there} groups of "
                f"{self.group_size} that {known.num_ids} natural ids make; use fewer clients or "
                "smaller groups",
            )

    def num_groups(self, num_ids: int) -> int:
        if self.mode == "allow-smaller":
            return -(-num_ids // self.group_size)
        return num_ids // self.group_size


def divide(
    ids: NDArray[np.str_], num_clients: int, rng: np.random.Generator, params: NaturalIdParams
) -> list[Indices]:
    """Let each client be one writer, chosen at random and then in alphabetical order."""
    found, who = np.unique(ids, return_inverse=True)
    return _chosen([np.array([place]) for place in range(len(found))], who, num_clients, rng)


def divide_grouped(
    ids: NDArray[np.str_],
    num_clients: int,
    rng: np.random.Generator,
    params: GroupedNaturalIdParams,
) -> list[Indices]:
    """Put writers into groups, and let each client be a group, chosen at random."""
    found, first, who = np.unique(ids, return_index=True, return_inverse=True)
    order = np.arange(len(found)) if params.sort_unique_ids else np.argsort(first)
    return _chosen(_groups(order, params), who, num_clients, rng)


def _groups(order: NDArray[np.int64], params: GroupedNaturalIdParams) -> Groups:
    count = len(order) // params.group_size
    if params.mode == "allow-bigger":
        return np.array_split(order, count)
    groups = [order[at : at + params.group_size] for at in range(0, len(order), params.group_size)]
    return groups[:count] if params.mode == "drop-reminder" else groups


def _chosen(
    groups: Groups, who: NDArray[np.int64], num_clients: int, rng: np.random.Generator
) -> list[Indices]:
    client_of = np.full(int(who.max()) + 1, -1)
    chosen = np.sort(rng.choice(len(groups), size=num_clients, replace=False))
    for client, place in enumerate(chosen):
        client_of[groups[place]] = client
    return by_client(client_of[who], num_clients)
