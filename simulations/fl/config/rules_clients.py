"""Rules about participation, removal and termination."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.participation import fit_clients

Problems = Iterator[tuple[str, str]]
MINIMA = ("min_fit_clients", "min_evaluate_clients", "min_available_clients")


def minima_are_reachable(config: StrategyConfig) -> Problems:
    for name in MINIMA:
        value = getattr(config, name)
        if value is not None and value > config.num_of_clients:
            yield name, f"must be at most num_of_clients ({config.num_of_clients}), not {value}"


def strict_mode_takes_everyone(config: StrategyConfig) -> Problems:
    if not config.strict_mode:
        return
    if config.remove_clients:
        yield (
            "strict_mode",
            "strict mode keeps every client in every round, but remove_clients takes some out; "
            "set one of them to false",
        )
    if config.fraction_fit < 1 or config.fraction_evaluate < 1:
        yield (
            "strict_mode",
            "strict mode takes every client in every round, but a fraction is below 1; "
            "set strict_mode to false or the fractions to 1",
        )


def removal_can_happen(config: StrategyConfig) -> Problems:
    if config.remove_clients and config.begin_removing_from_round >= config.num_of_rounds:
        yield (
            "begin_removing_from_round",
            f"removal takes effect in the round after {config.begin_removing_from_round}, but "
            f"there are {config.num_of_rounds} rounds, so it could never fire; use an earlier "
            "round or more rounds",
        )


def strict_termination_leaves_room(config: StrategyConfig) -> Problems:
    if not config.remove_clients or config.termination_policy != "strict":
        return
    minimum = fit_clients(config) if config.min_fit_clients is None else config.min_fit_clients
    if minimum >= config.num_of_clients:
        yield (
            "termination_policy",
            f"strict ends the run when fewer than min_fit_clients ({minimum}) of "
            f"{config.num_of_clients} clients are left, that is at the first removal; lower "
            "min_fit_clients or use graceful or adaptive",
        )
