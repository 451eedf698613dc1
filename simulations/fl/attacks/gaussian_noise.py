"""Gaussian noise on training images at a given signal-to-noise ratio (after arXiv 1903.12261)."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, DataAttack, Labels
from simulations.fl.attacks.selection import choose


class GaussianNoise(DataAttack):
    """Adds white noise of power (signal power) / 10^(snr / 10), then clips to [0, 1].

    The power of a signal is the mean of its squared pixels, so a black image stays black.
    """

    modality = "image"
    summary = "Adds white noise of a given signal-to-noise ratio to a share of the images."
    paper = "1903.12261"

    class Params(AttackParams):
        target_noise_snr: float = Field(
            ge=-100, le=100, description="Signal-to-noise ratio of a noisy sample, in decibels."
        )
        attack_ratio: float = Field(gt=0, le=1, description="Share of the samples that gets noise.")

    params: Params

    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        noisy = samples.copy()
        chosen = choose(self.params.attack_ratio, np.arange(len(samples)), rng)
        clean = samples[chosen]
        power = np.square(clean, dtype=np.float64).mean(axis=(1, 2, 3), keepdims=True)
        std = np.sqrt(power / 10 ** (self.params.target_noise_snr / 10)).astype(np.float32)
        noise = rng.standard_normal(clean.shape, dtype=np.float32)
        noisy[chosen] = np.clip(clean + std * noise, 0, 1)
        return noisy, labels.copy()
