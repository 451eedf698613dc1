"""The rules as one function on plain vectors: `from simulations.fl import aggregate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from pydantic import ValidationError
from torch import Tensor

from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.messages import sentence
from simulations.fl.config.spelling import unknown
from simulations.fl.errors import AggregationError, ConfigError
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import Context, Strategy

ACROSS_FIELDS = ("num_of_malicious_clients",)
"""Settings a rule reads that are arguments of their own here."""


def aggregate(
    keyword: str,
    updates: Any,
    *,
    weights: ArrayLike | Tensor | None = None,
    f: int = 0,
    **params: Any,
) -> Any:
    """Aggregate one round of updates by the rule named `keyword`, and return the vector.

    `updates` is an (n, d) tensor or array, or a list of n vectors; the answer is of the same kind.
    `weights` are the n numbers of training examples (all 1 when absent), `f` how many clients are
    malicious, `params` the rule's settings by their names in a configuration, with the same
    defaults. Raises ConfigError for an unknown rule or setting, and AggregationError for updates
    the rule cannot aggregate or an n below its bound for f.
    """
    chosen = rule(keyword, f=f, **params)
    matrix = _matrix(updates)
    context = Context(
        round_number=1,
        client_ids=tuple(range(len(matrix))),
        weights=_weights(weights, len(matrix)),
        start=torch.zeros_like(matrix[0]),
        kept=torch.ones(len(matrix), dtype=torch.bool),
        num_malicious=f,
        parameters=chosen.settings(len(matrix)),
    )
    return _like(updates, chosen.function(matrix, context, {}).aggregate)


@dataclass(frozen=True)
class Rule:
    """A rule with its settings, for as many updates as come."""

    keyword: str
    f: int
    given: Mapping[str, Any]
    function: Strategy

    def settings(self, n: int) -> dict[str, Any]:
        """Return what the rule reads, for n updates; raise AggregationError if they are too few."""
        bound = STRATEGIES[self.keyword].bound
        least = bound.least(self.f) if bound else self.f
        if n < least:
            needs = f"at least {bound.formula} = {least}" if bound else f"at least f = {self.f}"
            raise AggregationError(
                f"{self.keyword} cannot withstand f = {self.f} malicious clients among n = {n}: it "
                f"needs {needs} updates; pass more updates or a smaller f"
            )
        return _settings(self.keyword, self.given, n, self.f)


def rule(keyword: str, *, f: int = 0, **params: Any) -> Rule:
    """Return the rule named `keyword`; raises ConfigError as `aggregate` does."""
    if keyword not in STRATEGIES:
        raise ConfigError([unknown("strategy", str(keyword), STRATEGIES)])
    if isinstance(f, bool) or not isinstance(f, int) or f < 0:
        raise ConfigError([f"f: must be a whole number of at least 0, not {f!r}"])
    # What is wrong in itself is said now; whether the updates suffice, when they are there.
    _settings(keyword, params, 4 * f + 3, f)
    module, name = STRATEGIES[keyword].path.split(":")
    function: Strategy = getattr(import_module(module), name)
    return Rule(keyword, f, params, function)


def _settings(keyword: str, params: Mapping[str, Any], n: int, f: int) -> dict[str, Any]:
    """Return what the rule reads: what is given, else the configuration's default."""
    used = [name for name in STRATEGIES[keyword].parameters if name not in ACROSS_FIELDS]
    if refused := [name for name in params if name not in used]:
        raise ConfigError([_refusal(keyword, name, used) for name in refused])
    defaults = {"num_krum_selections": max(1, n - f), "trim_ratio": f / n if f else 0.1}
    given = {name: defaults[name] for name in used if name in defaults} | dict(params)
    try:
        config = StrategyConfig(aggregation_strategy_keyword=keyword, num_of_rounds=1, **given)
    except ValidationError as error:
        raise ConfigError(
            [
                f"{'.'.join(map(str, problem['loc']))}: {sentence(problem, used)}"
                for problem in error.errors()
            ]
        ) from None
    return {name: getattr(config, name) for name in used}


def _refusal(keyword: str, name: str, used: Sequence[str]) -> str:
    if used:
        return unknown(f"setting of {keyword}", name, used)
    return f"{keyword} has no settings but the arguments weights and f, so none called {name!r}"


def _matrix(updates: Any) -> Tensor:
    """Return the updates as an (n, d) tensor of float32 or float64, in their memory where it can.

    Whole numbers become float64, which holds them; half precision becomes float32.
    """
    try:
        matrix = _tensor(updates)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AggregationError(
            f"the updates are not n numeric vectors of one length: {error}"
        ) from None
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise AggregationError(
            f"the updates must be n vectors of d numbers, n and d at least 1, not of shape "
            f"{tuple(matrix.shape)}"
        )
    if not matrix.is_floating_point():
        return matrix.double()
    return matrix.float() if matrix.dtype.itemsize < torch.float32.itemsize else matrix


def _tensor(updates: Any) -> Tensor:
    if isinstance(updates, Tensor):
        return updates.detach()
    if isinstance(updates, np.ndarray):
        return torch.from_numpy(np.array(updates))
    if isinstance(updates, Sequence) and updates and isinstance(updates[0], Tensor):
        return torch.stack([vector.detach() for vector in updates])
    return torch.from_numpy(np.array([np.asarray(vector) for vector in updates]))


def _weights(weights: ArrayLike | Tensor | None, n: int) -> Tensor:
    if weights is None:
        return torch.ones(n, dtype=torch.float64)
    values = torch.as_tensor(np.asarray(weights, dtype=np.float64)).clone()
    if values.shape != (n,):
        raise AggregationError(
            f"weights must be one number for each of the {n} updates, not of shape "
            f"{tuple(values.shape)}"
        )
    if not bool((values.isfinite() & (values >= 0)).all()):
        raise AggregationError("weights must be finite numbers of at least 0")
    return values


def _like(updates: Any, vector: Tensor) -> Any:
    """Return `vector` in the container that the updates came in, and in their precision."""
    sample = updates if isinstance(updates, Tensor | np.ndarray) else updates[0]
    if isinstance(sample, Tensor):
        return vector.to(sample.dtype) if sample.is_floating_point() else vector
    if isinstance(sample, np.ndarray):
        is_floating = np.issubdtype(sample.dtype, np.floating)
        return vector.numpy().astype(sample.dtype if is_floating else np.float64, copy=False)
    return vector.tolist()
