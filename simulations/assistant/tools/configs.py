"""Tools about configurations: check one, draft one. Neither starts anything."""

from __future__ import annotations

from typing import Any

from simulations import services
from simulations.assistant import drafting, names
from simulations.assistant.bounds import MAX_CONFIG, clip, first
from simulations.assistant.drafting import Wishes
from simulations.fl import strict_json
from simulations.fl.errors import ConfigError


def validate_config(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration: whether it can run, everything wrong with it, what has no effect.

    Flat, or with shared_settings and simulation_strategies for several strategies. A configuration
    that can run is shown to the person as a proposal; only the person can start it.
    """
    text = strict_json.dumps(config, indent=2)
    if len(text) > MAX_CONFIG:
        raise names.NotFound(f"The configuration has more than {MAX_CONFIG} characters.")
    try:
        checked = services.check(strict_json.loads(text))
    except ConfigError as error:
        return {"valid": False, "errors": [clip(one, 400) for one in first(error.errors)]}
    except strict_json.StrictJSONError as error:
        return {"valid": False, "errors": [str(error)]}
    warnings = [clip(one, 400) for one in first(checked.warnings)]
    return {"valid": True, "warnings": warnings, "proposal": config}


def draft_config(
    strategies: list[str],
    dataset: str = "",
    attack: str = "",
    num_of_rounds: int | None = None,
    num_of_clients: int | None = None,
    num_of_attackers: int | None = None,
    first_attack_round: int | None = None,
    seed: int | None = None,
    remove_clients: bool = False,
) -> dict[str, Any]:
    """Draft a configuration from keywords, check it, and propose it to the person.

    `strategies` are keywords of aggregation rules, compared side by side if there are several;
    `attack` is an attack's keyword, empty for none. What is left out gets sensible values.
    Nothing is started.
    """
    config = drafting.config(
        Wishes(
            strategies=strategies[:20],
            dataset=dataset,
            attack=attack,
            num_of_rounds=num_of_rounds,
            num_of_clients=num_of_clients,
            num_of_attackers=num_of_attackers,
            first_attack_round=first_attack_round,
            seed=seed,
            remove_clients=remove_clients,
        )
    )
    return {"config": config, **validate_config(config)}
