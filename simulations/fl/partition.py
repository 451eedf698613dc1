"""Divide samples among clients by the partition a configuration names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.errors import DataError
from simulations.fl.generators import Purpose, generator
from simulations.fl.partitions import PARTITIONS
from simulations.fl.partitions.base import Indices as Indices
from simulations.fl.partitions.base import Known


@dataclass(frozen=True)
class Population:
    """Training samples as partitions know them; None is what the dataset does not tell."""

    num_samples: int
    labels: NDArray[np.int64] | None = None
    natural_ids: NDArray[np.str_] | None = None

    def known(self, num_clients: int) -> Known:
        return Known(num_clients, self.num_samples, _count(self.labels), _count(self.natural_ids))

    def told(self) -> dict[str, NDArray[Any]]:
        """Return what partitions can read of each sample."""
        told = {"label": self.labels, "natural id": self.natural_ids}
        numbers = {"number": np.arange(self.num_samples)}
        return numbers | {what: values for what, values in told.items() if values is not None}


@dataclass(frozen=True)
class Share:
    """A client's samples: what it trains on and what it keeps for validation, as indices."""

    training: Indices
    validation: Indices

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)


def partition(
    name: str,
    params: Mapping[str, Any],
    population: Population,
    num_clients: int,
    rng: np.random.Generator,
) -> list[Indices]:
    """Return each client's sample indices, ascending.

    They follow from `rng`, or from the seed among `params` alone. Raises DataError for parameters
    that do not fit the samples, and where a client would get none.
    """
    spec = PARTITIONS[name]
    checked = spec.params(**params)
    told = population.told()
    problems = [*unreadable(name, told, "this dataset")]
    problems = problems or [*checked.problems(population.known(num_clients))]
    if problems:
        raise DataError("; ".join(f"{path}: {sentence}" for path, sentence in problems))
    if checked.seed is not None:
        rng = np.random.default_rng(checked.seed)
    parts = spec.divide(told[spec.reads], num_clients, rng, checked)
    empty = [client for client, part in enumerate(parts) if len(part) == 0]
    if empty:
        raise DataError(
            f"partitioning_strategy {name!r} leaves {len(empty)} of {num_clients} clients without "
            f"a sample (first: client {empty[0]}); use fewer clients or a milder partition"
        )
    return parts


def unreadable(name: str, told: Collection[str], dataset: str) -> Iterator[tuple[str, str]]:
    """Yield a problem if a partition reads what is not among what the dataset has `told`."""
    reads = PARTITIONS[name].reads
    if reads not in told:
        others = [other for other, spec in PARTITIONS.items() if spec.reads in told]
        yield (
            "partitioning_strategy",
            f"{name} divides by {reads}, but {dataset} has none; use {', '.join(others)}",
        )


def hold_out(parts: list[Indices], training_fraction: float, seed: int) -> list[Share]:
    """Split each client's indices at random; at least one of them is for training."""
    return [
        _split(part, training_fraction, generator(seed, Purpose.VALIDATION_SPLIT, client))
        for client, part in enumerate(parts)
    ]


def _split(part: Indices, training_fraction: float, rng: np.random.Generator) -> Share:
    order = rng.permutation(part)
    count = max(1, round(training_fraction * len(part)))
    return Share(training=np.sort(order[:count]), validation=np.sort(order[count:]))


def _count(values: NDArray[Any] | None) -> int | None:
    return None if values is None else len(np.unique(values))
