"""What every partition has: its parameters, and what can be said of them before anything is drawn.

Parameters have flwr-datasets' names and meaning. A partition is drawn as flwr-datasets 0.6 draws
it, number for number: the same `seed` gives its clients the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Indices: TypeAlias = NDArray[np.int64]
Problems = Iterator[tuple[str, str]]
PARAMS = "partitioning_params"
NOBODY = -1
Positive = Annotated[float, Field(gt=0)]
Size = Annotated[int, Field(ge=1)]


def _kind(value: Any) -> str:
    return "each" if isinstance(value, list) else "all"


Alpha: TypeAlias = Annotated[
    Annotated[Positive, Tag("all")] | Annotated[list[Positive], Tag("each")], Discriminator(_kind)
]
"""A concentration: one number, or a list with one for each."""


@dataclass(frozen=True)
class Known:
    """What is known of the samples that are to be divided; None is what is not known yet."""

    num_clients: int
    num_samples: int | None = None
    num_classes: int | None = None
    num_ids: int | None = None


class PartitionParams(BaseModel):
    """The parameters of a partition; one that has none of its own uses this class."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    seed: int | None = Field(
        None, ge=0, lt=2**63, description="What is drawn follows from it; from the run's if absent."
    )

    def problems(self, known: Known) -> Problems:
        """Yield (path in the configuration, sentence) for what cannot be."""
        yield from ()


def by_client(owner: NDArray[np.int64], num_clients: int) -> list[Indices]:
    """Return the samples of each client, ascending, where owner (m,) is NOBODY or a client."""
    order = np.argsort(owner, kind="stable")
    borders = np.searchsorted(owner[order], np.arange(num_clients + 1))
    return [order[first:last] for first, last in pairwise(borders)]


def cut(order: Indices, sizes: NDArray[np.int64]) -> list[Indices]:
    """Give each client the next `sizes[client]` samples of `order`; what is left has no client."""
    borders = np.cumsum(sizes)
    return [np.sort(part) for part in np.split(order, borders)[: len(sizes)]]


def one_for_each(name: str, given: int, wanted: int | None, noun: str) -> Problems:
    """Yield a problem if a list has not one entry for each of `wanted`."""
    if wanted is not None and given != wanted:
        yield (
            f"{PARAMS}.{name}",
            f"must have one entry for each {noun}, {wanted} in all, not {given}",
        )


def sizes_exist(name: str, sizes: list[int], known: Known) -> Problems:
    """Yield a problem if sizes are not one a client, or together more than the samples."""
    yield from one_for_each(name, len(sizes), known.num_clients, "client")
    if known.num_samples is not None and sum(sizes) > known.num_samples:
        yield (
            f"{PARAMS}.{name}",
            f"asks for {sum(sizes)} samples, but there are {known.num_samples}; use smaller sizes",
        )
