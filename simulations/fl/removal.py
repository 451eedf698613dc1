"""Who may enter the aggregate, and when removal ends a strategy."""

from __future__ import annotations

from dataclasses import dataclass

from simulations.fl.config import StrategyConfig
from simulations.fl.strategies.base import Aggregation


@dataclass(frozen=True)
class Standing:
    """The clients removed for good, and those left out of the coming round only."""

    removed: frozenset[int] = frozenset()
    suspended: frozenset[int] = frozenset()

    def keeps(self, client: int) -> bool:
        return client not in self.removed and client not in self.suspended

    def after(self, verdict: Aggregation | None, removing: bool) -> Standing:
        """Return the standing of the next round, from what the strategy said in this one."""
        if verdict is None or not removing:
            return Standing(self.removed)
        return Standing(self.removed | set(verdict.removed), frozenset(verdict.suspended))


def is_removing(config: StrategyConfig, round_number: int) -> bool:
    """Tell whether what the strategy says about removal counts in this round."""
    return config.remove_clients and round_number >= config.begin_removing_from_round


def reason_to_end(config: StrategyConfig, standing: Standing, round_number: int) -> str | None:
    """Return why too few clients are left for another round, or None."""
    left, n = config.num_of_clients - len(standing.removed), config.num_of_clients
    needed, policy = _needed(config)
    if left >= needed:
        return None
    return (
        f"{left} of {n} clients are left after round {round_number}, but termination_policy "
        f"{config.termination_policy} needs at least {needed}{policy}"
    )


def _needed(config: StrategyConfig) -> tuple[int, str]:
    if config.termination_policy == "strict":
        return config.min_fit_clients or config.num_of_clients, " (min_fit_clients)"
    if config.termination_policy == "adaptive":
        share = int(config.min_clients_ratio * config.num_of_clients)
        return max(1, share), f" (min_clients_ratio {config.min_clients_ratio})"
    return 1, ""
