"""The configuration of a simulation: one for the API, the commands, the admin and the engine."""

from __future__ import annotations

from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.parse import SimulationConfig, parse
from simulations.fl.config.resolve import as_json, resolve

__all__ = ["SimulationConfig", "StrategyConfig", "as_json", "parse", "resolve"]
