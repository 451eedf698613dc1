"""One worker that trains several clients at once, for a GPU that one small client leaves idle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulations.fl.backends.base import Batch, Work
from simulations.fl.backends.inline import InlineBackend, failures_of
from simulations.fl.tasks import TrainClient


class JointBackend(InlineBackend):
    """Trains `at_once` clients of a round together, in its order; does other tasks one by one."""

    def __init__(self, work: Work, num_rows: int, at_once: int, folder: Path | None = None) -> None:
        super().__init__(work, num_rows, folder)
        self._at_once = at_once

    def collect(self, batch: Batch) -> list[Any]:
        tasks = batch.tasks
        if not all(isinstance(task, TrainClient) for task in tasks):
            return super().collect(batch)
        groups = [tasks[i : i + self._at_once] for i in range(0, len(tasks), self._at_once)]
        return [reply for group in groups for reply in self._train(group)]

    def _train(self, group: Sequence[TrainClient]) -> list[Any]:
        with failures_of(f"{group[0]}, together with {len(group) - 1} others,"):
            return self._work.train_together(group, self.exchange)
