"""A simulation's row as the values its routes answer."""

from __future__ import annotations

from typing import Any

from simulations import selectors
from simulations.models import FINISHED, Simulation, Status, StrategyRun


def execution_status(row: Simulation) -> dict[str, Any]:
    return {
        "status": row.status,
        "progress": row.progress,
        "current_round": row.current_round,
        "total_rounds": selectors.total_rounds(row),
        "current_strategy": row.current_strategy,
        "total_strategies": row.num_of_strategies,
        "error": row.error if row.status == Status.FAILED else None,
    }


def submitted_config(row: Simulation) -> dict[str, Any]:
    """Return the configuration as submitted, with the new name after a rename."""
    config: dict[str, Any] = row.config
    is_structured = "simulation_strategies" in config
    named = config.get("shared_settings", {}) if is_structured else config
    if not row.display_name or row.display_name == named.get("display_name"):
        return config
    renamed = {**named, "display_name": row.display_name}
    return {**config, "shared_settings": renamed} if is_structured else renamed


def strategy_summary(row: Simulation, strategy: StrategyRun) -> dict[str, Any]:
    return {
        "strategy_number": strategy.number,
        "keyword": strategy.keyword,
        "name": strategy.name,
        "status": strategy_status(row, strategy),
        "current_round": strategy.current_round,
        "total_rounds": strategy.total_rounds,
        "ended_early": strategy.ended_early or None,
        "final_loss": strategy.final_loss,
        "final_accuracy": strategy.final_accuracy,
    }


def strategy_status(row: Simulation, strategy: StrategyRun) -> str:
    """Return a strategy's own status: those before the running one are done, those after wait."""
    if strategy.finished_at is not None:
        return Status.COMPLETED
    if strategy.started_at is not None or row.status in FINISHED:
        return row.status
    return Status.QUEUED
