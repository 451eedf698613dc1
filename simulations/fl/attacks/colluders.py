"""Settings of attacks that know how many clients there are and how many attack together."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from simulations.fl.attacks.base import AttackParams


class ColluderParams(AttackParams):
    n_total: int = Field(ge=1, le=10_000, description="Clients whose updates are averaged.")
    n_malicious: int = Field(1, ge=1, le=10_000, description="Attackers that share the work.")

    @field_validator("n_malicious")
    @classmethod
    def are_among_all(cls, malicious: int, info: ValidationInfo) -> int:
        total = info.data.get("n_total")
        if total is not None and malicious > total:
            raise PydanticCustomError(
                "too_many_malicious",
                "must be at most n_total ({total}), not {malicious}",
                {"total": total, "malicious": malicious},
            )
        return malicious

    @property
    def share(self) -> float:
        """How many clients stand against each attacker, n_total / n_malicious."""
        return self.n_total / self.n_malicious
