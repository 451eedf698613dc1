"""Inner product manipulation: turn the update away from the descent (Xie et al. 2019).

The paper's attackers know the mean of the honest updates; here each uses its own for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, Layout, WeightAttack

if TYPE_CHECKING:
    from torch import Tensor


class InnerProductManipulation(WeightAttack):
    """Negative sends w + (1 - 2s)u, zero w + (1 - s)u, random w + u + r with |r| = s|u|."""

    summary = "Turns the update against itself, to nothing, or in a random direction."
    paper = "1903.03936"

    class Params(AttackParams):
        perturbation_strength: float = Field(
            0.5, gt=0, le=1e6, description="Strength s of the manipulation."
        )
        target_direction: Literal["negative", "zero", "random"] = Field(
            "negative", description="Where the update is turned: against itself, to none, anywhere."
        )

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        s, update = self.params.perturbation_strength, trained - start
        if self.params.target_direction == "negative":
            return start + (1 - 2 * s) * update
        if self.params.target_direction == "zero":
            return start + (1 - s) * update
        direction = trained.new_tensor(rng.standard_normal(len(trained), dtype=np.float32))
        length = s * float(update.double().norm() / direction.double().norm())
        return trained + length * direction
