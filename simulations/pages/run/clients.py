"""A row for each client of a strategy: attacks, score, when it was removed and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Min

from simulations.models import StrategyRun
from simulations.pages.run import removals
from simulations.pages.run.asked import Asked
from simulations.pages.run.client_curves import criterion, evenly
from simulations.pages.run.removals import NONE, Score
from simulations.pages.run.sparklines import Sparkline, sparkline

PAGE_SIZE = 100
DRAWN_ROUNDS = 40


@dataclass(frozen=True)
class Last:
    """What was measured of a client in the last round."""

    accuracy: float | None = None
    loss: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class ClientRow:
    """The cells of a client, as text, and its score as a line."""

    client: int
    samples: str
    attacks: str
    score: Sparkline | None
    removal: str
    accuracy: str
    loss: str


@dataclass(frozen=True)
class Listed:
    """What the order of the table may depend on, of all clients."""

    attacks: Mapping[int, list[str]]
    samples: Sequence[int]
    last: Mapping[int, Last]
    removed: Mapping[int, int]

    def samples_of(self, client: int) -> int | None:
        return self.samples[client] if client < len(self.samples) else None


KEYS: dict[str, Callable[[Listed, int], Any]] = {
    "client": lambda listed, client: client,
    "samples": lambda listed, client: listed.samples_of(client),
    "attacks": lambda listed, client: ", ".join(listed.attacks.get(client, [])) or None,
    "score": lambda listed, client: listed.last.get(client, Last()).score,
    "removed": lambda listed, client: listed.removed.get(client),
    "accuracy": lambda listed, client: listed.last.get(client, Last()).accuracy,
    "loss": lambda listed, client: listed.last.get(client, Last()).loss,
}
TEXTS = ("attacks", "score", "removed")
TITLES = {
    "client": "Client",
    "samples": "Samples",
    "attacks": "Attacks (rounds)",
    "score": "Score over rounds",
    "removed": "Removed",
    "accuracy": "Accuracy",
    "loss": "Loss",
}


def context(about: Asked) -> dict[str, Any]:
    run = about.run
    thresholds = _thresholds(run)
    listed = _listed(run, max(thresholds, default=0))
    order = about.text("sort")
    order = order if order.removeprefix("-") in KEYS else "client"
    ids = _ordered(listed, range(run.config["num_of_clients"]), order)
    pages = max(1, -(-len(ids) // PAGE_SIZE))
    page = min(max(1, about.number("page", 1)), pages)
    state = {"tab": "clients", "strategy": run.number}
    return {
        "rows": _rows(run, listed, thresholds, ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        "headings": [_heading(name, state, order) for name in KEYS],
        "criterion": criterion(run),
        "has_threshold": any(value is not None for value in thresholds.values()),
        "last_round": max(thresholds, default=0),
        "page": page,
        "pages": pages,
        "query": urlencode({**state, "sort": order}),
    }


def _heading(name: str, state: Mapping[str, Any], order: str) -> dict[str, Any]:
    turned = f"-{name}" if order == name else name
    direction = "descending" if order.startswith("-") else "ascending"
    return {
        "title": TITLES[name],
        "style": "" if name in TEXTS else "number",
        "query": urlencode({**state, "sort": turned}),
        "sort": direction if order.removeprefix("-") == name else None,
    }


def _ordered(listed: Listed, clients: Sequence[int], order: str) -> list[int]:
    """Sort; clients without a value come last either way."""
    key = KEYS[order.removeprefix("-")]
    values = {client: key(listed, client) for client in clients}
    known = [client for client in clients if values[client] is not None]
    known.sort(key=lambda client: values[client], reverse=order.startswith("-"))
    return [*known, *(client for client in clients if values[client] is None)]


def _listed(run: StrategyRun, last_round: int) -> Listed:
    rows = run.client_rounds.order_by()
    columns = ("client_id", "accuracy", "loss", "removal_criterion")
    last = rows.filter(round_number=last_round).values_list(*columns)
    removed = rows.filter(is_removed=True).values_list("client_id").annotate(Min("round_number"))
    removed = removed if run.config.get("remove_clients") else removed.none()
    return Listed(
        attacks=_attacks(run),
        samples=run.client_sizes,
        last={client: Last(*values) for client, *values in last},
        removed=dict(removed),
    )


def _attacks(run: StrategyRun) -> dict[int, list[str]]:
    """Return each attacker's attacks with their rounds, as the resolved settings have them."""
    found: dict[int, list[str]] = {}
    for entry in run.config.get("attack_schedule") or ():
        text = f"{entry['attack_type']} ({entry['start_round']}–{entry['end_round']})"
        for client in entry.get("selected_client_ids") or ():
            found.setdefault(client, []).append(text)
    return found


def _rows(
    run: StrategyRun, listed: Listed, thresholds: Mapping[int, Score], ids: Sequence[int]
) -> list[ClientRow]:
    """Return what is shown of a page of clients, in two queries."""
    drawn = evenly(sorted(thresholds), DRAWN_ROUNDS)
    scores = removals.scores(strategy_run=run, round_number__in=drawn, client_id__in=ids)
    removed = {client: listed.removed[client] for client in ids if client in listed.removed}
    verdicts = removals.verdicts(run, removed)
    return [
        ClientRow(
            client=client,
            samples=_text(listed.samples_of(client), "d"),
            attacks=", ".join(listed.attacks.get(client, [])),
            score=sparkline(
                [scores.get((client, number)) for number in drawn],
                [thresholds[number] for number in drawn],
            ),
            removal=removals.told(run, client, removed.get(client), verdicts, thresholds),
            accuracy=_text(listed.last.get(client, Last()).accuracy, ".4f"),
            loss=_text(listed.last.get(client, Last()).loss, ".4f"),
        )
        for client in ids
    ]


def _text(value: float | None, form: str) -> str:
    return NONE if value is None else format(value, form)


def _thresholds(run: StrategyRun) -> dict[int, Score]:
    rows = run.rounds.order_by("round_number")
    return dict(rows.values_list("round_number", "removal_threshold"))
