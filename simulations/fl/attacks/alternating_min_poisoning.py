"""Alternating-minimisation poisoning, reduced to what one client sees (Bhagoji et al. 2019).

The paper alternates a malicious objective with a stealth bound on the update. A client that knows
only its own update u takes -<v, u>, the loss of progress along its honest direction, for the first
and the ball of radius tau for the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import Layout, WeightAttack
from simulations.fl.attacks.colluders import ColluderParams

if TYPE_CHECKING:
    from torch import Tensor


class AlternatingMinPoisoning(WeightAttack):
    """w + v, where v ascends -<v, u> from u by normalised steps within the ball |v| <= tau."""

    summary = "Ascends against the honest direction within a ball around the global model."
    paper = "1811.12470"

    class Params(ColluderParams):
        tau_factor: float = Field(
            1.0, gt=0, le=1e6, description="Factor on the radius (n_total / n_malicious) * |u|."
        )
        pgd_steps: int = Field(20, ge=1, le=10_000, description="Steps of projected ascent.")
        pgd_step_size: float = Field(
            0.1, gt=0, le=2, description="Length of a step, as a share of the radius."
        )

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        update = trained - start
        norm = float(update.double().norm())
        if norm == 0:
            return trained.clone()
        return start + (self.reach(norm) / norm) * update

    def reach(self, norm: float) -> float:
        """Return how far v ends along u / |u|, for an honest update of norm `norm`.

        The gradient of -<v, u> is -u everywhere, so no iterate leaves the line through u.
        """
        radius = self.params.tau_factor * self.params.share * norm
        place = min(norm, radius)
        for _ in range(self.params.pgd_steps):
            place = max(place - self.params.pgd_step_size * radius, -radius)
        return place
