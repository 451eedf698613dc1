"""Random generators derived from (seed, purpose, coordinates), so that no draw depends on another.

Results therefore do not change with the number of workers, the order of clients or the backend.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a generator is for; the numbers are part of every recorded result and never change."""

    INITIAL_WEIGHTS = 1
    PARTITION = 2
    VALIDATION_SPLIT = 3
    CLIENT_SAMPLING = 4
    BATCHES = 5
    TRAINING_NOISE = 6
    ATTACKER_SELECTION = 7
    DATA_ATTACK = 8
    WEIGHT_ATTACK = 9
    ATTACK_SETUP = 10
    AGGREGATION = 11
    EVALUATION_SAMPLING = 12
    TRAINING_MASKS = 13
    EVALUATION_MASKS = 14


def generator(seed: int, purpose: Purpose, *coordinates: int) -> np.random.Generator:
    """Return the generator of `purpose` at `coordinates` (for example client, round)."""
    return np.random.default_rng(_sequence(seed, purpose, coordinates))


def torch_seed(seed: int, purpose: Purpose, *coordinates: int) -> int:
    """Return a 63-bit seed for torch's own generators, derived like `generator`."""
    return int(_sequence(seed, purpose, coordinates).generate_state(1, np.uint64)[0] >> 1)


def _sequence(seed: int, purpose: Purpose, coordinates: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose), *coordinates))
