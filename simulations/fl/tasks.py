"""The pieces of work of a round: small values that travel to workers, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainClient:
    """Train `client` from the global model and write what it sends into `row` of the updates."""

    client: int
    round_number: int
    row: int
    size: int

    def __str__(self) -> str:
        return f"training client {self.client} in round {self.round_number}"


@dataclass(frozen=True)
class Snapshot:
    """An example of an attack that was kept; `path` is relative to the run's folder."""

    attack_type: str
    path: str


@dataclass(frozen=True)
class Trained:
    """What comes back beside the update; `integers` (k,) are such as batch counters."""

    loss: float
    seconds: float
    is_finite: bool
    integers: NDArray[np.int64]
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True)
class EvaluateClient:
    """Evaluate the round's global model on the client's validation share."""

    client: int
    round_number: int
    size: int

    def __str__(self) -> str:
        return f"evaluating client {self.client} in round {self.round_number}"


@dataclass(frozen=True)
class EvaluateGlobal:
    """Evaluate the round's global model on a chunk of the test set, or of goal number `goal`."""

    goal: int | None
    round_number: int
    first: int
    size: int

    def __str__(self) -> str:
        samples = f"samples {self.first} to {self.first + self.size - 1}"
        of = "the test set" if self.goal is None else f"attack goal {self.goal}"
        return f"evaluating {samples} of {of} in round {self.round_number}"


Task: TypeAlias = TrainClient | EvaluateClient | EvaluateGlobal
