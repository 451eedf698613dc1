"""How well a strategy told malicious clients from benign ones; positive means kept.

TP is a benign client aggregated, TN a malicious one not aggregated, FP a malicious one aggregated,
FN a benign one not aggregated. (Older tools swap FP and FN here.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Detection:
    """The four counts of a round."""

    tp: int
    tn: int
    fp: int
    fn: int

    @property
    def accuracy(self) -> float | None:
        return _ratio(self.tp + self.tn, self.tp + self.tn + self.fp + self.fn)

    @property
    def precision(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def count(clients: Iterable[tuple[bool, bool]]) -> Detection:
    """Count clients given as (is malicious, was aggregated)."""
    pairs = list(clients)
    return Detection(
        tp=pairs.count((False, True)),
        tn=pairs.count((True, False)),
        fp=pairs.count((True, True)),
        fn=pairs.count((False, False)),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
