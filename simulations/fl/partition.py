"""Divide samples among clients by the partition a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.errors import DataError
from simulations.fl.generators import Purpose, generator
from simulations.fl.partitions import PARTITIONS
from simulations.fl.paths import resolve_path

Indices = NDArray[np.int64]


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
    labels: NDArray[np.int64],
    num_clients: int,
    rng: np.random.Generator,
) -> list[Indices]:
    """Return each client's sample indices; every client gets at least one, or DataError."""
    spec = PARTITIONS[name]
    divide: Callable[..., list[Indices]] = resolve_path(spec.path)
    parts = divide(labels, num_clients, rng, spec.params(**params))
    empty = [client for client, part in enumerate(parts) if len(part) == 0]
    if empty:
        raise DataError(
            f"partitioning_strategy {name!r} leaves {len(empty)} of {num_clients} clients without "
            f"a sample (first: client {empty[0]}); use fewer clients or a milder partition"
        )
    return parts


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
