"""A few classes for each client (Li et al. 2021, arXiv 2102.02079)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.errors import DataError
from simulations.fl.partitions.base import (
    NOBODY,
    PARAMS,
    Indices,
    Known,
    PartitionParams,
    Problems,
    by_client,
)


class PathologicalParams(PartitionParams):
    num_classes_per_partition: int = Field(ge=1, description="Classes of a client.")
    class_assignment_mode: Literal["random", "deterministic", "first-deterministic"] = Field(
        "random",
        description="Classes by lot; client c gets c, c + 1, ...; or c and others by lot.",
    )

    def problems(self, known: Known) -> Problems:
        if known.num_classes is not None and self.num_classes_per_partition > known.num_classes:
            yield (
                f"{PARAMS}.num_classes_per_partition",
                f"must be at most the {known.num_classes} classes of the dataset, "
                f"not {self.num_classes_per_partition}",
            )


def divide(
    labels: NDArray[np.int64],
    num_clients: int,
    rng: np.random.Generator,
    params: PathologicalParams,
) -> list[Indices]:
    """Choose each client's classes and divide each class equally among the clients that have it.

    A class that no client has stays unused. Raises DataError if more clients than samples want one.
    """
    classes = np.unique(labels)
    holders: dict[int, list[int]] = {int(label): [] for label in classes}
    for client in range(num_clients):
        for label in _classes_of(client, classes, rng, params):
            holders[label].append(client)
    owner = np.full(len(labels), NOBODY)
    for label, clients in holders.items():
        samples = np.flatnonzero(labels == label)
        if len(clients) > len(samples):
            raise DataError(
                f"{PARAMS}: pathological gives class {label} to {len(clients)} clients, but it has "
                f"{len(samples)} samples; use fewer clients, a smaller num_classes_per_partition "
                "or class_assignment_mode deterministic"
            )
        for client, part in zip(clients, np.array_split(samples, len(clients) or 1), strict=False):
            owner[part] = client
    return by_client(owner, num_clients)


def _classes_of(
    client: int,
    classes: NDArray[np.int64],
    rng: np.random.Generator,
    params: PathologicalParams,
) -> list[int]:
    wanted, mode = params.num_classes_per_partition, params.class_assignment_mode
    if mode == "random":
        return [int(label) for label in rng.choice(classes, size=wanted, replace=False)]
    if mode == "deterministic":
        return [int(classes[(client + step) % len(classes)]) for step in range(wanted)]
    chosen = [int(classes[client % len(classes)])]
    while len(chosen) < wanted:
        label = int(rng.choice(classes, size=1)[0])
        if label not in chosen:
            chosen.append(label)
    return chosen
