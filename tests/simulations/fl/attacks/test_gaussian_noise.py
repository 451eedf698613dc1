from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError


def measured_snr(clean: np.ndarray, noisy: np.ndarray) -> float:
    noise = noisy.astype(np.float64) - clean
    return 10 * math.log10(float((clean.astype(np.float64) ** 2).mean() / (noise**2).mean()))


@pytest.mark.parametrize("snr", [15.0, 20.0, 30.0])
def test_each_sample_has_the_wanted_ratio(snr: float, build: Any) -> None:
    brightness = np.linspace(0.3, 0.5, 8, dtype=np.float32)
    clean = np.broadcast_to(brightness[:, None, None, None], (8, 1, 64, 64)).copy()
    attack = build("gaussian_noise", target_noise_snr=snr, attack_ratio=1.0)
    noisy, _ = attack.poison(clean, np.zeros(8, np.int64), np.random.default_rng(0))
    for before, after in zip(clean, noisy, strict=True):
        assert measured_snr(before, after) == pytest.approx(snr, abs=0.3)


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, 40), (0.5, 20), (0.33, 13), (0.001, 1)])
def test_the_share_of_noisy_samples_is_exact(
    ratio: float, expected: int, build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    noisy, same_labels = build("gaussian_noise", attack_ratio=ratio).poison(
        images, labels, np.random.default_rng(0)
    )
    assert int((noisy != images).any(axis=(1, 2, 3)).sum()) == expected
    assert np.array_equal(same_labels, labels)


def test_strong_noise_is_clipped_to_the_range_of_pixels(
    build: Any, images: np.ndarray, labels: np.ndarray
) -> None:
    attack = build("gaussian_noise", target_noise_snr=-20.0, attack_ratio=1.0)
    noisy, _ = attack.poison(images, labels, np.random.default_rng(0))
    assert noisy.min() == 0 and noisy.max() == 1


def test_a_black_image_stays_black(build: Any) -> None:
    black = np.zeros((2, 1, 4, 4), np.float32)
    noisy, _ = build("gaussian_noise", attack_ratio=1.0).poison(
        black, np.zeros(2, np.int64), np.random.default_rng(0)
    )
    assert not noisy.any()


@pytest.mark.parametrize(
    "wrong",
    [{"attack_ratio": 0.0}, {"attack_ratio": 1.5}, {"target_noise_snr": math.inf}, {"snr": 3}],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], build: Any) -> None:
    with pytest.raises(ValidationError):
        build("gaussian_noise", **wrong)
