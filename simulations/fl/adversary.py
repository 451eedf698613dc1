"""The attacks of a schedule at work: who is malicious when, and what it does then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulations.fl.attacks import ATTACKS
from simulations.fl.attacks.base import (
    Attack,
    DataAttack,
    Labels,
    Layout,
    Setup,
    WeightAttack,
)
from simulations.fl.config.schedule import AttackEntry
from simulations.fl.generators import Purpose, generator

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Campaign:
    """One entry of the schedule with its attack and the attack's settings, at place `index`."""

    index: int
    attack_type: str
    settings: Mapping[str, Any]
    attack: Attack
    first_round: int
    last_round: int
    clients: frozenset[int]

    def covers(self, client: int, round_number: int) -> bool:
        return client in self.clients and self.first_round <= round_number <= self.last_round


@dataclass(frozen=True)
class Poisoned:
    """What one campaign made of a client's samples."""

    campaign: Campaign
    samples: Any
    labels: Labels


class Adversary:
    """All campaigns of a run, in schedule order; every draw follows from the seed."""

    def __init__(self, schedule: Sequence[AttackEntry], num_classes: int, seed: int) -> None:
        self._seed = seed
        self.campaigns = [
            _campaign(index, entry, num_classes, seed) for index, entry in enumerate(schedule)
        ]

    def is_malicious(self, client: int, round_number: int) -> bool:
        return any(campaign.covers(client, round_number) for campaign in self.campaigns)

    def poison(
        self, samples: Any, labels: Labels, client: int, round_number: int
    ) -> list[Poisoned]:
        """Return the samples after each data attack in turn; the client trains on the last.

        Images are float32 between 0 and 1; texts are a list of strings.
        """
        stages = []
        for campaign, attack in self._data_attacks(client, round_number):
            rng = generator(self._seed, Purpose.DATA_ATTACK, client, round_number, campaign.index)
            samples, labels = attack.poison(samples, labels, rng)
            stages.append(Poisoned(campaign, samples, labels))
        return stages

    def poisons(self, client: int, round_number: int) -> bool:
        return any(self._data_attacks(client, round_number))

    def forgers(self, client: int, round_number: int) -> list[Campaign]:
        """Return the campaigns that forge what the client sends in the round."""
        return [campaign for campaign, _ in self._weight_attacks(client, round_number)]

    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, client: int, round_number: int
    ) -> Tensor:
        """Return what the client sends in the round instead of what it trained."""
        for campaign, attack in self._weight_attacks(client, round_number):
            rng = generator(self._seed, Purpose.WEIGHT_ATTACK, client, round_number, campaign.index)
            trained = attack.forge(trained, start, layout, rng)
        return trained

    def _data_attacks(
        self, client: int, round_number: int
    ) -> Iterator[tuple[Campaign, DataAttack]]:
        for campaign in self.campaigns:
            if campaign.covers(client, round_number) and isinstance(campaign.attack, DataAttack):
                yield campaign, campaign.attack

    def _weight_attacks(
        self, client: int, round_number: int
    ) -> Iterator[tuple[Campaign, WeightAttack]]:
        for campaign in self.campaigns:
            if campaign.covers(client, round_number) and isinstance(campaign.attack, WeightAttack):
                yield campaign, campaign.attack


def _campaign(index: int, entry: AttackEntry, num_classes: int, seed: int) -> Campaign:
    kind = ATTACKS[entry.attack_type]
    rng = generator(seed, Purpose.ATTACK_SETUP, index)
    return Campaign(
        index=index,
        attack_type=entry.attack_type,
        settings=entry.model_dump(mode="json", include=set(kind.Params.model_fields)),
        attack=kind(entry, Setup(num_classes, rng)),
        first_round=entry.start_round,
        last_round=entry.end_round,
        clients=frozenset(entry.selected_client_ids or ()),
    )
