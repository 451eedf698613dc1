"""Gradient scaling: send the honest update many times over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, Layout, WeightAttack

if TYPE_CHECKING:
    from torch import Tensor


class GradientScaling(WeightAttack):
    """w + scale_factor * u, with u the client's honest update."""

    summary = "Sends the honest update multiplied by a factor."
    paper = "1807.00459"

    class Params(AttackParams):
        scale_factor: float = Field(2.0, description="Factor on the client's own update.")

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        return start + self.params.scale_factor * (trained - start)
