"""Rules about the strategy: what it needs of n clients to withstand f malicious ones."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.participation import declared_malicious, fit_clients
from simulations.fl.config.spelling import unknown
from simulations.fl.strategies import STRATEGIES

Problems = Iterator[tuple[str, str]]
BOUND_FIELDS = (
    "aggregation_strategy_keyword",
    "num_of_clients",
    "num_of_malicious_clients",
    "attack_schedule",
    "fraction_fit",
    "min_fit_clients",
    "waive_preconditions",
)


def strategy_is_known(config: StrategyConfig) -> Problems:
    keyword = config.aggregation_strategy_keyword
    if keyword not in STRATEGIES:
        yield "aggregation_strategy_keyword", unknown("strategy", keyword, STRATEGIES)


def enough_clients(config: StrategyConfig) -> Problems:
    keyword = config.aggregation_strategy_keyword
    bound = STRATEGIES[keyword].bound if keyword in STRATEGIES else None
    if bound is None or config.waive_preconditions:
        return
    n, f = fit_clients(config), declared_malicious(config)
    if n < bound.least(f):
        yield (
            "num_of_malicious_clients",
            f"{f} is too many for {keyword} with {n} clients a round: it needs at least "
            f"{bound.formula} = {bound.least(f)} clients; use more clients, a smaller f, or "
            "waive_preconditions",
        )


def malicious_are_clients(config: StrategyConfig) -> Problems:
    f = config.num_of_malicious_clients
    if f is not None and f > config.num_of_clients:
        yield (
            "num_of_malicious_clients",
            f"must be at most num_of_clients ({config.num_of_clients}), not {f}",
        )


def something_is_left_to_average(config: StrategyConfig) -> Problems:
    if config.aggregation_strategy_keyword != "trimmed_mean" or config.waive_preconditions:
        return
    n, f = fit_clients(config), declared_malicious(config)
    if config.trim_ratio is None and 2 * f >= n:
        yield (
            "trim_ratio",
            f"trimming f = {f} of {n} clients at each end leaves nothing to average; "
            "use more clients, a smaller f, or give trim_ratio",
        )


def selections_exist(config: StrategyConfig) -> Problems:
    chosen, n = config.num_krum_selections, fit_clients(config)
    if chosen is not None and chosen > n:
        yield "num_krum_selections", f"must be at most the {n} clients of a round, not {chosen}"
