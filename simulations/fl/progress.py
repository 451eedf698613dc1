"""Where a strategy stands after a round: all that the next round depends on."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from simulations.fl.removal import Standing
from simulations.fl.strategies.base import State


@dataclass
class Progress:
    """The global model as `vector` (d,) and `integers` (k,), and what rules remember.

    `reason` tells why the strategy ended before its last round.
    """

    vector: Tensor
    integers: Tensor
    round_number: int = 0
    strategy_state: State = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    finished: bool = False
    reason: str | None = None
