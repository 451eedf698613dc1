"""Neighbouring classes in given proportions (Li et al. 2020, FedProx, arXiv 1812.06127)."""

from __future__ import annotations

from typing import Annotated

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
    one_for_each,
)

Weight = Annotated[float, Field(ge=0)]
ARRAY = "distribution_array"


class DistributionParams(PartitionParams):
    distribution_array: list[list[Weight]] = Field(
        min_length=1,
        description="A row for each class: how its samples go to the clients that have it, "
        "num_unique_labels_per_partition * clients / classes of them.",
    )
    num_unique_labels_per_partition: int = Field(
        ge=1, description="Classes of a client c: c, c + 1, ..."
    )
    preassigned_num_samples_per_label: int = Field(
        ge=0, description="Samples of each of its classes that a client gets first, with rescale."
    )
    rescale: bool = Field(
        True, description="Scale each row to all samples of its class; else rows are numbers."
    )

    def problems(self, known: Known) -> Problems:
        if known.num_classes is not None:
            yield from one_for_each(ARRAY, len(self.distribution_array), known.num_classes, "class")
            yield from self._misshaped(known.num_clients, known.num_classes)
        if self.rescale and not all(any(row) for row in self.distribution_array):
            yield f"{PARAMS}.{ARRAY}", "must have a number above 0 in each row"

    def _misshaped(self, num_clients: int, num_classes: int) -> Problems:
        if self.num_unique_labels_per_partition > num_classes:
            yield (
                f"{PARAMS}.num_unique_labels_per_partition",
                f"must be at most the {num_classes} classes of the dataset, "
                f"not {self.num_unique_labels_per_partition}",
            )
        if num_clients % num_classes:
            yield (
                "num_of_clients",
                f"must be a multiple of the {num_classes} classes for partition distribution, "
                f"not {num_clients}",
            )
            return
        columns = self.num_unique_labels_per_partition * num_clients // num_classes
        if any(len(row) != columns for row in self.distribution_array):
            yield (
                f"{PARAMS}.{ARRAY}",
                f"must have rows of {columns} numbers: num_unique_labels_per_partition "
                f"({self.num_unique_labels_per_partition}) * clients ({num_clients}) / classes "
                f"({num_classes})",
            )


def divide(
    labels: NDArray[np.int64],
    num_clients: int,
    rng: np.random.Generator,
    params: DistributionParams,
) -> list[Indices]:
    """Divide each class as its row says among the clients that have it, in their order.

    Raises DataError when a class has fewer samples than its row or the preassigned ones need.
    """
    classes, totals = np.unique(labels, return_counts=True)
    counts = _counts(params, totals)
    owner = np.full(len(labels), NOBODY)
    for place, label in enumerate(classes):
        samples = np.flatnonzero(labels == label)
        holders = _holders(place, len(classes), num_clients, params)
        given = np.repeat(holders, counts[place])
        owner[samples[: len(given)]] = given
        if params.rescale:
            # What rounding down has left goes to one of them.
            owner[samples[len(given) :]] = holders[rng.integers(0, len(holders))]
    return by_client(owner, num_clients)


def _counts(params: DistributionParams, totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many samples of each class (row) each of its clients (column) gets."""
    array = np.asarray(params.distribution_array, dtype=np.float64)
    columns = array.shape[1]
    needed = array.astype(np.int64).sum(axis=1)
    if params.rescale:
        needed = np.full(len(totals), columns * (params.preassigned_num_samples_per_label + 1))
    short = np.flatnonzero(needed > totals)
    if len(short):
        what = "preassigned_num_samples_per_label" if params.rescale else ARRAY
        raise DataError(
            f"{PARAMS}.{what}: distribution needs {needed[short[0]]} samples of class {short[0]}, "
            f"which has {totals[short[0]]}; use smaller numbers"
        )
    first = 0
    if params.rescale:
        first = params.preassigned_num_samples_per_label
        free = totals.astype(np.float64) - first * columns
        array = array / array.sum(axis=-1, keepdims=True) * free[:, np.newaxis]
    counts: NDArray[np.int64] = np.floor(array).astype(np.int64) + first
    return counts


def _holders(
    place: int, num_classes: int, num_clients: int, params: DistributionParams
) -> NDArray[np.int64]:
    """Return the clients that have the class at `place`: client c has c to c + k - 1, in a ring."""
    distance = (place - np.arange(num_clients)) % num_classes
    return np.flatnonzero(distance < params.num_unique_labels_per_partition)
