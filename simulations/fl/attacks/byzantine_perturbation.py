"""Byzantine perturbation: Gaussian noise on the trained weights (Blanchard et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, Layout, WeightAttack

if TYPE_CHECKING:
    from torch import Tensor


class ByzantinePerturbation(WeightAttack):
    """x + N(0, (noise_scale * std of the tensor)^2), shortened to norm clip_norm if longer."""

    summary = "Adds Gaussian noise in proportion to the spread of each tensor."
    paper = "1703.02757"

    class Params(AttackParams):
        noise_scale: float = Field(
            3.0, gt=0, le=1e6, description="Noise, in standard deviations of the tensor."
        )
        clip_norm: float | None = Field(
            None, gt=0, description="Largest norm of the whole perturbation; unlimited when null."
        )

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        noise = trained.new_zeros(trained.shape)
        for _, offset, numel in layout.tensors:
            std = trained[offset : offset + numel].double().std(correction=0).item()
            drawn = trained.new_tensor(rng.standard_normal(numel, dtype=np.float32))
            noise[offset : offset + numel] = self.params.noise_scale * std * drawn
        limit, norm = self.params.clip_norm, noise.double().norm().item()
        if limit is not None and norm > limit:
            noise *= limit / norm
        return trained + noise
