"""Whether attacks reach their goal: on test samples that carry it, with the wanted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulations.fl.adversary import Adversary
from simulations.fl.attacks.base import DataAttack, Labels
from simulations.fl.federated_data import FederatedData
from simulations.fl.metrics import Sums, mean


@dataclass(frozen=True)
class Goal:
    """What one campaign wants: `labels` for `samples`, measured from its first round on."""

    first_round: int
    samples: Any
    labels: Labels


def goals(adversary: Adversary, data: FederatedData) -> list[Goal]:
    """Ask every data attack for its goal on the test set."""
    attacks = [
        (campaign.first_round, campaign.attack)
        for campaign in adversary.campaigns
        if isinstance(campaign.attack, DataAttack)
    ]
    if not attacks:
        return []
    samples, labels = data.plain_test()
    found = [(first, attack.success_set(samples, labels)) for first, attack in attacks]
    return [Goal(first, *wanted) for first, wanted in found if wanted is not None]


def success_rate(results: Sequence[Sums]) -> float | None:
    """Return the mean over goals of the share reached, or None without a goal."""
    return mean([result.accuracy for result in results if result.accuracy is not None])
