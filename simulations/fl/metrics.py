"""Numbers about a round; what cannot be measured or is not finite is None."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sums:
    """An evaluation that can be added to another: summed loss, correct answers, samples."""

    loss_sum: float = 0.0
    num_correct: int = 0
    num_samples: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.loss_sum + other.loss_sum,
            self.num_correct + other.num_correct,
            self.num_samples + other.num_samples,
        )

    @property
    def loss(self) -> float | None:
        return finite(self.loss_sum / self.num_samples) if self.num_samples else None

    @property
    def accuracy(self) -> float | None:
        return self.num_correct / self.num_samples if self.num_samples else None


def total(parts: Iterable[Sums]) -> Sums:
    """Add evaluations in the order given, so that the last bit does not depend on the workers."""
    return sum(parts, start=Sums())


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def deviation(values: Sequence[float]) -> float | None:
    """Return the population standard deviation."""
    return float(np.std(values)) if values else None
