"""Label flipping: every class is taught under the name of another (Tolpegin et al. 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulations.fl.attacks.base import AttackParams, DataAttack, Labels, Setup
from simulations.fl.attacks.selection import copy_of
from simulations.fl.errors import DataError


class LabelFlipping(DataAttack):
    """Maps every class by one derangement; `mapping` (num_classes,) holds the new class of each.

    The derangement is drawn once for the entry: drawn anew for each batch it would be label noise.
    """

    needs_labels = True
    summary = "Renames every class by one fixed permutation that leaves no class in place."
    paper = "2007.08432"

    def __init__(self, params: AttackParams, setup: Setup) -> None:
        super().__init__(params, setup)
        self.mapping = _derangement(setup.num_classes, setup.rng)
        self.mapping.flags.writeable = False

    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        return copy_of(samples), self.mapping[labels]


def _derangement(size: int, rng: np.random.Generator) -> Labels:
    """Return a permutation without fixed point, each equally likely (by rejection)."""
    if size < 2:
        raise DataError(
            f"label_flipping needs data of at least 2 classes, not {size}; "
            "use another attack for this task"
        )
    identity = np.arange(size)
    while True:
        permutation = rng.permutation(size).astype(np.int64)
        if not np.any(permutation == identity):
            return permutation
