"""Rules that could not be asked before the data was there, for datasets outside the catalogue."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec
from simulations.fl.config import rules_attacks, rules_data
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.errors import ConfigError

RULES = (rules_data.network_fits, rules_data.enough, rules_attacks.classes_exist)


def check_found(config: StrategyConfig, spec: DatasetSpec) -> None:
    """Raise ConfigError with everything in `config` that does not fit the dataset as found."""
    errors = [f"{path}: {message}" for rule in RULES for path, message in rule(config, spec)]
    if errors:
        raise ConfigError(errors)
