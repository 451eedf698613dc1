"""Model poisoning: a share of the weights is blown up in place (after Fang et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, Layout, WeightAttack
from simulations.fl.attacks.selection import share_of

if TYPE_CHECKING:
    from torch import Tensor


class ModelPoisoning(WeightAttack):
    """Sets the chosen coordinates to sign(x) * magnitude * std, std of the tensor's elements."""

    summary = "Sets a share of each tensor's weights to a multiple of the tensor's spread."
    paper = "1911.11815"

    class Params(AttackParams):
        poison_ratio: float = Field(
            0.1, gt=0, le=1, description="Share of each tensor's coordinates that is replaced."
        )
        magnitude: float = Field(
            5.0, gt=0, le=1e6, description="New size, in standard deviations of the tensor."
        )

    params: Params

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        sent = trained.clone()
        for _, offset, numel in layout.tensors:
            tensor = sent[offset : offset + numel]
            size = self.params.magnitude * tensor.double().std(correction=0).item()
            count = share_of(self.params.poison_ratio, numel)
            chosen = rng.choice(numel, size=count, replace=False, shuffle=False)
            tensor[chosen] = tensor[chosen].sign() * size
        return sent
