"""Whether attacks reach their goal: on test samples that carry it, with the wanted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from simulations.fl.adversary import Adversary
from simulations.fl.attacks.base import DataAttack, Images, Labels
from simulations.fl.metrics import Sums, mean
from simulations.fl.samples import unit_range


@dataclass(frozen=True)
class Goal:
    """What one campaign wants: `labels` for `images`, measured from its first round on."""

    first_round: int
    images: Images
    labels: Labels


def goals(adversary: Adversary, images: NDArray[np.uint8], labels: Labels) -> list[Goal]:
    """Ask every data attack for its goal on the test images, which it gets between 0 and 1."""
    attacks = [
        (campaign.first_round, campaign.attack)
        for campaign in adversary.campaigns
        if isinstance(campaign.attack, DataAttack)
    ]
    if not attacks:
        return []
    unit = unit_range(torch.tensor(images)).numpy()
    found = [(first, attack.success_set(unit, labels)) for first, attack in attacks]
    return [Goal(first, *wanted) for first, wanted in found if wanted is not None]


def success_rate(results: Sequence[Sums]) -> float | None:
    """Return the mean over goals of the share reached, or None without a goal."""
    return mean([result.accuracy for result in results if result.accuracy is not None])
