"""A configuration from a few wishes; what is not wished for follows from the rules' bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulations.fl.attacks import ATTACKS
from simulations.fl.strategies import STRATEGIES

ROUNDS = 10
CLIENTS = 10
ATTACKERS = 2
FIRST_ATTACK = 3
DATASET = "mnist5k"
SEED = 1
STRONG = {"gradient_scaling": {"scale_factor": -5.0}}
"""Parameters that make an attack felt where its defaults hardly are."""


@dataclass(frozen=True)
class Wishes:
    """What a run should have; None and empty leave it to us."""

    strategies: list[str] = field(default_factory=list)
    dataset: str = ""
    attack: str = ""
    num_of_rounds: int | None = None
    num_of_clients: int | None = None
    num_of_attackers: int | None = None
    first_attack_round: int | None = None
    seed: int | None = None
    remove_clients: bool = False


def config(wishes: Wishes) -> dict[str, Any]:
    """Return a configuration, flat for one strategy, structured for several."""
    keywords = list(dict.fromkeys(wishes.strategies)) or ["fedavg"]
    shared = _shared(wishes, keywords)
    if len(keywords) == 1:
        return {"aggregation_strategy_keyword": keywords[0], **shared}
    strategies = [{"aggregation_strategy_keyword": keyword} for keyword in keywords]
    return {"shared_settings": shared, "simulation_strategies": strategies}


def _shared(wishes: Wishes, keywords: list[str]) -> dict[str, Any]:
    rounds = wishes.num_of_rounds or ROUNDS
    attackers = _attackers(wishes)
    clients = wishes.num_of_clients or max(CLIENTS, _least_clients(keywords, attackers))
    shared: dict[str, Any] = {
        "dataset_keyword": wishes.dataset or DATASET,
        "num_of_rounds": rounds,
        "num_of_clients": clients,
        "seed": SEED if wishes.seed is None else wishes.seed,
    }
    if wishes.remove_clients:
        shared["remove_clients"] = True
    if wishes.attack:
        shared["attack_schedule"] = [_entry(wishes, rounds, clients, attackers)]
    return shared


def _attackers(wishes: Wishes) -> int:
    if not wishes.attack:
        return 0
    return ATTACKERS if wishes.num_of_attackers is None else wishes.num_of_attackers


def _least_clients(keywords: list[str], attackers: int) -> int:
    specs = [STRATEGIES[keyword] for keyword in keywords if keyword in STRATEGIES]
    return max((spec.bound.least(attackers) for spec in specs if spec.bound), default=1)


def _entry(wishes: Wishes, rounds: int, clients: int, attackers: int) -> dict[str, Any]:
    start = wishes.first_attack_round or min(FIRST_ATTACK, rounds)
    return {
        "attack_type": wishes.attack,
        **_parameters(wishes.attack, clients, attackers),
        "start_round": start,
        "end_round": rounds,
        "selection_strategy": "count",
        "malicious_client_count": attackers,
    }


def _parameters(attack: str, clients: int, attackers: int) -> dict[str, Any]:
    """Return the parameters that the attack requires, and those that make it felt."""
    if attack not in ATTACKS:
        return {}
    usual = {
        "source_class": 0,
        "target_class": 1,
        "target_noise_snr": 0.0,
        "attack_ratio": 1.0,
        "n_total": clients,
        "n_malicious": max(1, attackers),
    }
    fields = ATTACKS[attack].Params.model_fields
    required = {name for name, info in fields.items() if info.is_required()}
    if "n_total" in required:
        required |= {"n_malicious"} & set(fields)
    chosen = {name: value for name, value in usual.items() if name in required}
    return {**chosen, **STRONG.get(attack, {})}
