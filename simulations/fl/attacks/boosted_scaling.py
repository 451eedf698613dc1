"""Boosted scaling: survive the averaging by sending n times the update (model replacement)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import Layout, WeightAttack
from simulations.fl.attacks.colluders import ColluderParams

if TYPE_CHECKING:
    from torch import Tensor


class BoostedScaling(WeightAttack):
    """w + (n_total / n_malicious) * boost_factor * u, with u the client's honest update."""

    summary = "Scales the update so that it outweighs the average over all clients."
    paper = "1807.00459"

    class Params(ColluderParams):
        boost_factor: float = Field(1.0, gt=0, le=1e6, description="Further factor on the update.")

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        factor = self.params.share * self.params.boost_factor
        return start + factor * (trained - start)
