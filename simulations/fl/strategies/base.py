"""What a strategy is: a pure function of updates, context and its own state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

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
    """A strategy as the tables, forms and pages know it, without loading torch.

    `paper` is an arXiv id, empty for a rule that docs/strategies.md defines; `parameters` are the
    configuration fields it reads, `worst` is the end of its criterion where the suspicious clients
    are, `removes` whether it ever removes or suspends one.
    """

    path: str
    title: str
    criterion: str
    paper: str
    parameters: tuple[str, ...] = ()
    bound: Bound | None = None
    removes: bool = True
    worst: Literal["highest", "lowest"] = "highest"


@dataclass(frozen=True)
class Context:
    """What a strategy may know in a round.

    Row i of the updates is the reply of `client_ids[i]`; `weights` (n,) are numbers of training
    examples, `start` (d,) is the global vector they started from, `kept` (n,) is False for clients
    that were removed or are suspended: they are scored, but must not enter the aggregate.
    `weights` and `kept` lie on the CPU, `start` where the updates lie. `removing` is True in rounds
    whose removals count.
    """

    round_number: int
    client_ids: tuple[int, ...]
    weights: Tensor
    start: Tensor
    kept: Tensor
    num_malicious: int = 0
    removing: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remaining_malicious(self) -> int:
        """The f to assume of the clients that are kept: those removed are taken to be Byzantine."""
        return max(0, self.num_malicious - int((~self.kept).sum()))


@dataclass(frozen=True)
class Aggregation:
    """What a strategy answers: the new global vector, and what it thinks of each client.

    `scores` (n,) float64 is the removal criterion, None where that is a client's distance to the
    centroid, which is measured of every client anyway; `included` (n,) bool is who entered the
    aggregate, `removed` the client ids to remove for good, `suspended` those left out of the next
    round only (both are empty unless removing), `rejected` the ids whose reply was not finite. A
    rejected client scores `inf`, or `-inf` where the lowest score is the worst. Scores, `included`
    and the tensors in `state` lie on the CPU, the aggregate where the updates lie.

    Nothing of it may be a view of the updates: the next round writes there before this one is told.
    """

    aggregate: Tensor
    scores: Tensor | None
    included: Tensor
    state: State
    threshold: float | None = None
    removed: tuple[int, ...] = ()
    suspended: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()


def scores_of(answer: Aggregation) -> Tensor:
    """Return the scores of a rule that has a criterion of its own, as all that remove have."""
    assert answer.scores is not None
    return answer.scores


class Strategy(Protocol):
    """The function a strategy's path names; `updates` is (n, d), a parameter vector a row."""

    def __call__(self, updates: Tensor, context: Context, state: State) -> Aggregation: ...
