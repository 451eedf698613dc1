"""What a strategy is: a pure function of updates, context and its own state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

State = dict[str, Any]
"""A strategy's memory: strings, numbers, lists, dicts and tensors, so that it can be saved."""


@dataclass(frozen=True)
class Bound:
    """The least number of clients a rule needs to be told f malicious ones."""

    least: Callable[[int], int]
    formula: str


@dataclass(frozen=True)
class StrategySpec:
    """A strategy as the tables, forms and pages know it, without loading torch."""

    path: str
    title: str
    criterion: str
    paper: str
    parameters: tuple[str, ...] = ()
    bound: Bound | None = None
    removes: bool = True


@dataclass(frozen=True)
class Context:
    """What a strategy may know in a round.

    Row i of the updates is the reply of `client_ids[i]`; `weights` (n,) are numbers of training
    examples, `start` (d,) is the global vector they started from, `kept` (n,) is False for clients
    that were removed or are suspended: they are scored, but must not enter the aggregate.
    """

    round_number: int
    client_ids: tuple[int, ...]
    weights: Tensor
    start: Tensor
    kept: Tensor
    num_malicious: int = 0
    removing: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Aggregation:
    """What a strategy answers: the new global vector, and what it thinks of each client.

    `scores` (n,) float64 is the removal criterion, `included` (n,) bool who entered the aggregate,
    `removed` the client ids to remove for good, `suspended` those left out of the next round only
    (both are read only while removing), `rejected` the ids whose reply was not finite.
    """

    aggregate: Tensor
    scores: Tensor
    included: Tensor
    state: State
    threshold: float | None = None
    removed: tuple[int, ...] = ()
    suspended: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()


class Strategy(Protocol):
    """The function a strategy's path names; `updates` is (n, d), a parameter vector a row."""

    def __call__(self, updates: Tensor, context: Context, state: State) -> Aggregation: ...
