"""How long a simulation takes, from rounds that were measured before."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulations.models import RoundMetrics, Simulation

RECENT = 100


@dataclass(frozen=True)
class Waiting:
    """A queued simulation: its place, and when it is likely to start, if that can be told."""

    simulation: Simulation
    position: int
    starts_at: datetime | None


def seconds_per_round(dataset_keyword: str, num_of_clients: int) -> float | None:
    """Return the median of recent rounds of this dataset, with as many clients if there are any.

    Rounds with another number of clients count in proportion. None without a measured round.
    """
    rounds = RoundMetrics.objects.filter(
        strategy_run__simulation__dataset_keyword=dataset_keyword, round_seconds__isnull=False
    ).order_by("-id")
    clients = "strategy_run__simulation__num_of_clients"
    same = rounds.filter(**{clients: num_of_clients})
    alike = [
        seconds for (seconds,) in same.values_list("round_seconds")[:RECENT] if seconds is not None
    ]
    if alike:
        return statistics.median(alike)
    others = [
        seconds * num_of_clients / count
        for seconds, count in rounds.values_list("round_seconds", clients)[:RECENT]
    ]
    return statistics.median(others) if others else None


class Estimator:
    """Tells the likely time of simulations; asks the database once for each kind of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], float | None] = {}

    def remaining_seconds(self, simulation: Simulation) -> float | None:
        """Return the likely time of the rounds that are left; None if nothing like it ever ran."""
        left = simulation.rounds_total - simulation.rounds_done
        return self.seconds(simulation.dataset_keyword, simulation.num_of_clients, left)

    def seconds(self, dataset_keyword: str, num_of_clients: int, rounds: int) -> float | None:
        """Return the likely time of so many rounds; None if no such round was ever measured."""
        kind = (dataset_keyword, num_of_clients)
        if kind not in self._known:
            self._known[kind] = seconds_per_round(*kind)
        seconds = self._known[kind]
        return None if seconds is None else seconds * rounds


def queue(
    running: Iterable[Simulation], queued: Iterable[Simulation], at_once: int, now: datetime
) -> list[Waiting]:
    """Return the queue with likely starts when `at_once` run at a time.

    From the first simulation on whose time cannot be told, no start can be.
    """
    estimator = Estimator()
    free = [estimator.remaining_seconds(one) for one in running][:at_once]
    free += [0.0] * (at_once - len(free))
    waiting = []
    for position, simulation in enumerate(queued, 1):
        known = [seconds for seconds in free if seconds is not None]
        start = min(known) if len(known) == at_once else None
        starts_at = None if start is None else now + timedelta(seconds=start)
        waiting.append(Waiting(simulation, position, starts_at))
        duration = estimator.remaining_seconds(simulation)
        place = 0 if start is None else free.index(start)
        free[place] = None if start is None or duration is None else start + duration
    return waiting
