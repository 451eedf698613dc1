"""Strategies by keyword. Adding one is a file in this folder and an entry in this table.

Entries hold dotted paths, because the web process reads this table and must not load torch.
"""

from __future__ import annotations

from simulations.fl.strategies.base import StrategySpec

STRATEGIES: dict[str, StrategySpec] = {
    "fedavg": StrategySpec(
        path="simulations.fl.strategies.fedavg:aggregate",
        title="Federated averaging",
        criterion="absolute distance",
        paper="1602.05629",
        removes=False,
    ),
}
