"""Charts with a line for each of a few clients, and the choice of these clients."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from simulations.fl.strategies import STRATEGIES
from simulations.models import StrategyRun
from simulations.pages.charts import Series
from simulations.pages.run.asked import Asked
from simulations.pages.run.plots import Plot, attackers, windows

USUALLY_SHOWN = 10
ALL_SHOWN_UP_TO = 20
MAX_SHOWN = 40
MAX_ROUNDS = 250
"""So many rounds of each client are drawn; of a longer run, rounds at even distances."""
RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
COLUMNS = {
    "client_accuracy": ("Accuracy of clients", "accuracy"),
    "client_loss": ("Loss of clients", "loss"),
    "client_distance": ("Distance of clients' updates", "absolute_distance"),
}
SCORE = "removal_criterion"


def shown(about: Asked) -> list[int]:
    """Return the clients asked for; else all of a few, or some attackers and some others."""
    total = about.run.config["num_of_clients"]
    wanted = [client for client in _listed(about.text("clients")) if client < total]
    if wanted:
        return sorted(dict.fromkeys(wanted))[:MAX_SHOWN]
    if total <= ALL_SHOWN_UP_TO:
        return list(range(total))
    malicious = attackers(about.run)
    others = (client for client in range(total) if client not in malicious)
    first = malicious[: USUALLY_SHOWN // 2]
    return sorted([*first, *islice(others, USUALLY_SHOWN - len(first))])


def as_text(clients: Sequence[int]) -> str:
    """Write clients as numbers and ranges, `0-4, 7`."""
    spans: list[list[int]] = []
    for client in clients:
        if spans and spans[-1][1] == client - 1:
            spans[-1][1] = client
        else:
            spans.append([client, client])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def criterion(run: StrategyRun) -> str:
    """Return what the strategy calls its score."""
    spec = STRATEGIES.get(run.keyword)
    return spec.criterion if spec else "score"


def plots(
    run: StrategyRun, rounds: Sequence[dict[str, Any]], clients: Sequence[int]
) -> Iterable[Plot]:
    """Give the charts of these clients, in one query."""
    thresholds = {row["round_number"]: row["removal_threshold"] for row in rounds}
    drawn = evenly(list(thresholds), MAX_ROUNDS)
    columns = (SCORE, *(column for _, column in COLUMNS.values()))
    lines = _Lines(run, columns, drawn, clients)
    shaded = windows(run)
    threshold = Series("threshold", drawn, [thresholds[number] for number in drawn], "threshold")
    has_threshold = any(value is not None for value in threshold.values)
    title = criterion(run)
    title = f"{title[0].upper()}{title[1:]} of clients"
    scores = [*lines.of(SCORE), *([threshold] if has_threshold else [])]
    yield Plot("client_score", title, drawn, scores, shaded)
    for name, (heading, column) in COLUMNS.items():
        if name == "client_distance" and criterion(run) == "absolute distance":
            continue  # The score is the same number.
        yield Plot(name, heading, drawn, lines.of(column), shaded)


def evenly(rounds: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the rounds, at even distances; the first and last are kept."""
    if len(rounds) <= most:
        return list(rounds)
    last = len(rounds) - 1
    return [rounds[place * last // (most - 1)] for place in range(most)]


class _Lines:
    """What was measured of the clients, a line for each."""

    def __init__(
        self,
        run: StrategyRun,
        columns: Sequence[str],
        rounds: Sequence[int],
        clients: Sequence[int],
    ) -> None:
        self._columns, self._rounds, self._clients = columns, rounds, clients
        self._found = _measured(run, columns, rounds, clients)
        self._malicious = set(attackers(run))

    def of(self, column: str) -> list[Series]:
        return [self._line(client, self._columns.index(column)) for client in self._clients]

    def _line(self, client: int, place: int) -> Series:
        nothing = (None,) * len(self._columns)
        own = self._found[client]
        values = [own.get(number, nothing)[place] for number in self._rounds]
        role = "attacker" if client in self._malicious else ""
        return Series(f"client {client}", self._rounds, values, role)


def _measured(
    run: StrategyRun, columns: Sequence[str], rounds: Sequence[int], clients: Sequence[int]
) -> dict[int, dict[int, tuple[Any, ...]]]:
    """Return the columns by client and round."""
    rows = run.client_rounds.order_by().filter(round_number__in=rounds, client_id__in=clients)
    found: defaultdict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
    for client, number, *values in rows.values_list("client_id", "round_number", *columns):
        found[client][number] = tuple(values)
    return found


def _listed(text: str) -> Iterable[int]:
    """Read numbers and ranges of them; what is neither is passed over."""
    for part in re.split(r"[\s,;]+", text):
        match = RANGE.fullmatch(part)
        if match:
            low, high = int(match[1]), int(match[2] or match[1])
            yield from range(low, min(high, low + MAX_SHOWN) + 1)
