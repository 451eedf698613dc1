from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulations.fl.attacks import ATTACKS
from simulations.fl.attacks.base import Attack, Setup

REQUIRED: dict[str, dict[str, Any]] = {
    "targeted_label_flipping": {"source_class": 3, "target_class": 7},
    "gaussian_noise": {"target_noise_snr": 10.0, "attack_ratio": 0.5},
    "backdoor_trigger": {"target_class": 2},
    "boosted_scaling": {"n_total": 10},
    "alternating_min_poisoning": {"n_total": 10},
}


def build_attack(keyword: str, *, seed: int = 0, num_classes: int = 10, **params: Any) -> Attack:
    attack = ATTACKS[keyword]
    chosen = attack.Params(**{**REQUIRED.get(keyword, {}), **params})
    return attack(chosen, Setup(num_classes, np.random.default_rng(seed)))


@pytest.fixture
def build() -> Callable[..., Any]:
    """Build an attack by keyword, with values for what it requires."""
    return build_attack


@pytest.fixture
def required() -> dict[str, dict[str, Any]]:
    return REQUIRED


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(1).random((40, 1, 12, 10), dtype=np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(40, dtype=np.int64) % 10
