"""Runs a strategy by its keyword, as the engine does, and Flower's rules to compare with."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from simulations.fl.config import StrategyConfig
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import Aggregation, Context
from simulations.fl.strategies.distances import to_centroid

Apply = Callable[..., Aggregation]
FIELDS = StrategyConfig.model_fields


@pytest.fixture(scope="session")
def apply() -> Apply:
    """Return `apply(keyword, updates, …)`: all of the context has a default, settings by name."""

    def run(
        keyword: str,
        updates: Any,
        *,
        f: int = 0,
        state: dict[str, Any] | None = None,
        ids: Any = None,
        weights: Any = None,
        kept: Any = None,
        start: Any = None,
        t: int = 1,
        removing: bool = False,
        **settings: Any,
    ) -> Aggregation:
        matrix = torch.as_tensor(np.array(updates) if isinstance(updates, list) else updates)
        matrix = matrix if matrix.is_floating_point() else matrix.double()
        n = len(matrix)
        defaults = {name: FIELDS[name].default for name in STRATEGIES[keyword].parameters}
        defaults |= {"num_krum_selections": max(1, n - f), "trim_ratio": f / n if f else 0.1}
        context = Context(
            round_number=t,
            client_ids=tuple(range(n)) if ids is None else tuple(ids),
            weights=torch.ones(n) if weights is None else torch.as_tensor(weights),
            start=torch.zeros_like(matrix[0]) if start is None else start,
            kept=torch.ones(n, dtype=torch.bool) if kept is None else torch.as_tensor(kept),
            num_malicious=f,
            removing=removing,
            parameters=defaults | settings,
        )
        module, name = STRATEGIES[keyword].path.split(":")
        function = getattr(importlib.import_module(module), name)
        answer: Aggregation = function(matrix, context, {} if state is None else state)
        return answer if answer.scores is not None else replace(answer, scores=to_centroid(matrix))

    return run


@pytest.fixture(scope="session")
def flower() -> Any:
    """Flower's reference rules; importing it warns of its own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("flwr.server.strategy.aggregate")
