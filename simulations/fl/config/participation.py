"""How many clients take part in a round."""

from __future__ import annotations

from simulations.fl.config.fields import StrategyConfig


def clients_per_round(num_clients: int, fraction: float, minimum: int | None) -> int:
    """Return the size of a round's sample: the fraction, rounded down, but at least `minimum`."""
    return min(num_clients, max(1, int(fraction * num_clients), minimum or 0))


def fit_clients(config: StrategyConfig) -> int:
    return clients_per_round(config.num_of_clients, config.fraction_fit, config.min_fit_clients)


def evaluate_clients(config: StrategyConfig) -> int:
    return clients_per_round(
        config.num_of_clients, config.fraction_evaluate, config.min_evaluate_clients
    )


def most_attackers(config: StrategyConfig) -> int:
    """Return how many distinct clients the schedule can select at the most."""
    named = {
        client
        for entry in config.attack_schedule
        for client in entry.selected_client_ids or entry.malicious_client_ids or ()
    }
    chosen = sum(
        entry.number_of_attackers(config.num_of_clients)
        for entry in config.attack_schedule
        if entry.selection_strategy != "specific" and not entry.selected_client_ids
    )
    return min(config.num_of_clients, len(named) + chosen)


def declared_malicious(config: StrategyConfig) -> int:
    """Return the f that robust rules are told."""
    if config.num_of_malicious_clients is not None:
        return config.num_of_malicious_clients
    return most_attackers(config)
