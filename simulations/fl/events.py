"""What the engine tells while it runs: one JSON object a line, read by the recorder.

Field names are the names of the recorded columns. A number that was not measured is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulations.fl import strict_json


@dataclass(frozen=True)
class Event:
    """Base of all events; `kind` names the class on the wire."""

    kind: ClassVar[str]

    def to_line(self) -> str:
        return strict_json.dumps({"kind": self.kind, **self._values()})

    def _values(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True)
class RunStarted(Event):
    kind = "run_started"
    num_strategies: int
    device: str
    num_workers: int
    versions: dict[str, str]
    resumed: bool = False


@dataclass(frozen=True)
class StrategyStarted(Event):
    kind = "strategy_started"
    strategy_number: int
    num_parameters: int
    client_sizes: list[int]
    first_round: int = 1


@dataclass(frozen=True)
class ClientMetrics:
    """One client in one round; `num_examples` counts training examples."""

    client_id: int
    loss: float | None = None
    accuracy: float | None = None
    train_loss: float | None = None
    absolute_distance: float | None = None
    removal_criterion: float | None = None
    participated: bool = False
    is_malicious: bool = False
    is_removed: bool = False
    num_examples: int = 0
    train_seconds: float | None = None


@dataclass(frozen=True)
class RoundFinished(Event):
    kind = "round_finished"
    strategy_number: int
    round_number: int
    clients: list[ClientMetrics]
    aggregated_loss: float | None = None
    average_accuracy: float | None = None
    average_accuracy_std: float | None = None
    global_accuracy: float | None = None
    global_loss: float | None = None
    attack_success_rate: float | None = None
    removal_threshold: float | None = None
    score_calculation_time_ns: int | None = None
    round_seconds: float | None = None
    tp: int | None = None
    tn: int | None = None
    fp: int | None = None
    fn: int | None = None

    def _values(self) -> dict[str, Any]:
        return {**vars(self), "clients": [vars(client) for client in self.clients]}


@dataclass(frozen=True)
class StrategyFinished(Event):
    """`reason` tells why before the last round, in a sentence; None when all rounds ran."""

    kind = "strategy_finished"
    strategy_number: int
    rounds: int
    reason: str | None = None


@dataclass(frozen=True)
class SnapshotSaved(Event):
    kind = "snapshot_saved"
    strategy_number: int
    round_number: int
    client_id: int
    attack_type: str
    path: str


@dataclass(frozen=True)
class RunFinished(Event):
    kind = "run_finished"


@dataclass(frozen=True)
class RunFailed(Event):
    """`error` is a sentence for people; the trace is in the log."""

    kind = "run_failed"
    error: str
    exit_code: int = 1
    errors: list[str] = field(default_factory=list)


EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        RunStarted,
        StrategyStarted,
        RoundFinished,
        StrategyFinished,
        SnapshotSaved,
        RunFinished,
        RunFailed,
    )
}


def from_line(line: str | bytes) -> Event:
    """Read an event; raise ValueError or TypeError for a line that is none."""
    values: Any = strict_json.loads(line)
    if not isinstance(values, dict) or values.get("kind") not in EVENTS:
        raise ValueError(f"not an event: {str(line)[:200]}")
    event = EVENTS[values.pop("kind")]
    if event is RoundFinished:
        values["clients"] = [ClientMetrics(**client) for client in values["clients"]]
    return event(**values)
