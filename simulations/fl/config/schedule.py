"""Entries of the attack schedule: who attacks, in which rounds, and how."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from simulations.fl.attacks import ATTACKS

LEGACY_KEYS = frozenset({"flip_fraction"})
NEEDED = {
    "specific": "malicious_client_ids",
    "random": "malicious_client_count",
    "count": "malicious_client_count",
    "percentage": "malicious_percentage",
}


class AttackEntry(BaseModel):
    """One line of the schedule; the class of an attack's entries adds the attack's own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    start_round: int = Field(ge=1, description="First round of the attack, counted from 1.")
    end_round: int = Field(ge=1, description="Last round of the attack, included.")
    attack_type: str = Field(description="The attack.")
    selection_strategy: Literal["specific", "random", "count", "percentage"] = Field(
        description="How the attackers are chosen."
    )
    malicious_client_ids: list[int] | None = Field(
        None, min_length=1, description="The attackers, for specific."
    )
    malicious_client_count: int | None = Field(
        None, ge=1, description="How many, for random and count."
    )
    malicious_percentage: float | None = Field(
        None, gt=0, le=1, description="Share of the clients, for percentage."
    )
    random_seed: int | None = Field(
        None, ge=0, description="Seed of the choice; follows from the run's seed when absent."
    )
    selected_client_ids: list[int] | None = Field(
        None, min_length=1, description="The attackers as resolved; filled in at submission."
    )

    def covers(self, round_number: int) -> bool:
        return self.start_round <= round_number <= self.end_round

    def number_of_attackers(self, num_clients: int) -> int:
        """Return how many clients this entry selects out of `num_clients`."""
        if self.selection_strategy == "specific":
            return len(set(self.malicious_client_ids or ()))
        if self.selection_strategy == "percentage":
            return max(1, int((self.malicious_percentage or 0) * num_clients))
        return self.malicious_client_count or 0


SCHEDULE_FIELDS = frozenset(AttackEntry.model_fields)


@cache
def entry_class(attack_type: str) -> type[AttackEntry]:
    """Return the entry class of an attack: the schedule's fields and the attack's own."""
    bases: Any = (AttackEntry, ATTACKS[attack_type].Params)
    return cast(type[AttackEntry], create_model(f"{attack_type}_entry", __base__=bases))


def belongs_elsewhere(key: str, attack_type: str) -> bool:
    """Tell whether `key` belongs to another attack or an older tool, not to `attack_type`."""
    if key in SCHEDULE_FIELDS or key in ATTACKS[attack_type].Params.model_fields:
        return False
    return key in LEGACY_KEYS or any(
        key in attack.Params.model_fields for attack in ATTACKS.values()
    )
