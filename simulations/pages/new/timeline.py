"""The attack schedule drawn as rounds × clients, as SVG made on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from simulations.fl.config.schedule import AttackEntry
from simulations.pages.charts import STYLES, Tick

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 680, 58, 12, 8, 34
ROW, LEAST_HEIGHT, MOST_HEIGHT = 16.0, 64.0, 320.0
OPEN_ROW, GAP = 18.0, 3.0
MOST_CLIENTS, MOST_ROUNDS = 200, 10_000
X_TICKS, Y_TICKS = 12, 20


@dataclass(frozen=True)
class Bar:
    """An attack on a client or, if it is open, on some that are not chosen yet."""

    left: float
    top: float
    width: float
    height: float
    number: int
    style: int
    is_open: bool

    @property
    def text_left(self) -> float:
        return self.left + 4

    @property
    def middle(self) -> float:
        return round(self.top + self.height / 2, 2)


@dataclass(frozen=True)
class Told:
    """An entry in words, for the legend."""

    number: int
    style: int
    attack_type: str
    first: int
    last: int
    who: str


@dataclass(frozen=True)
class Timeline:
    """What the template draws, in the units of the view box."""

    bars: list[Bar]
    entries: list[Told]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    edge: float
    bottom: float
    rounds: int
    clients: int
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP

    @property
    def has_open(self) -> bool:
        return any(bar.is_open for bar in self.bars)

    @property
    def height(self) -> float:
        return self.bottom + BOTTOM

    @property
    def breadth(self) -> int:
        return self.right - self.left

    @property
    def depth(self) -> float:
        return self.edge - self.top

    @property
    def x_text(self) -> float:
        return self.bottom + 18

    @property
    def y_text(self) -> int:
        return self.left - 8


def timeline(
    settings: Mapping[str, Any], resolved: Sequence[AttackEntry] | None = None
) -> Timeline | None:
    """Return the drawing of one strategy's settings; None while there is too little to draw.

    `resolved` has the clients that the engine chooses; without them, and where the choice follows
    from a seed that is not given, an entry is drawn below the clients.
    """
    rounds, clients = settings.get("num_of_rounds"), settings.get("num_of_clients", 10)
    entries = settings.get("attack_schedule")
    if not _is_count(rounds, MOST_ROUNDS) or not _is_count(clients, MOST_ROUNDS):
        return None
    if not isinstance(entries, list) or not entries:
        return None
    spans: list[_Span] = []
    told: list[Told] = []
    for number, entry in enumerate(entries):
        window = _window(entry, rounds)
        if window is None:
            continue
        chosen = _chosen(entry, settings, resolved[number] if resolved else None)
        there = frozenset(client for client in chosen or () if 0 <= client < clients)
        is_open = chosen is None or clients > MOST_CLIENTS
        spans.append(_Span(number, window, frozenset() if is_open else there, is_open))
        who = _who(entry, chosen)
        told.append(Told(number, number % STYLES, str(entry.get("attack_type", "")), *window, who))
    axes = _Axes(rounds, clients, sum(span.is_open for span in spans))
    return Timeline(
        bars=_bars(spans, axes),
        entries=told,
        x_ticks=axes.x_ticks(),
        y_ticks=axes.y_ticks(),
        edge=axes.edge,
        bottom=axes.bottom,
        rounds=rounds,
        clients=clients,
    )


@dataclass(frozen=True)
class _Span:
    """The rounds and clients of an entry."""

    number: int
    window: tuple[int, int]
    clients: frozenset[int]
    is_open: bool

    def meets(self, other: _Span) -> bool:
        (first, last), (others_first, others_last) = self.window, other.window
        is_at_once = first <= others_last and others_first <= last
        return is_at_once and not self.clients.isdisjoint(other.clients)


class _Axes:
    """Maps rounds, from 1, to the right and clients, from 0, downwards; each has a cell."""

    def __init__(self, rounds: int, clients: int, num_open: int) -> None:
        self.rounds, self.clients = rounds, clients
        self.cell = (WIDTH - LEFT - RIGHT) / rounds
        self.row = min(max(ROW * clients, LEAST_HEIGHT), MOST_HEIGHT) / clients
        self.edge = round(TOP + self.row * clients, 2)
        self.bottom = round(self.edge + num_open * OPEN_ROW, 2)

    def bar(self, span: _Span, top: float, height: float) -> Bar:
        first, last = span.window
        return Bar(
            left=round(LEFT + (first - 1) * self.cell, 2),
            top=round(top, 2),
            width=round((last - first + 1) * self.cell, 2),
            height=round(height, 2),
            number=span.number,
            style=span.number % STYLES,
            is_open=span.is_open,
        )

    def x_ticks(self) -> list[Tick]:
        numbers = range(1, self.rounds + 1, -(-self.rounds // X_TICKS))
        return [Tick(round(LEFT + (n - 0.5) * self.cell, 2), str(n)) for n in numbers]

    def y_ticks(self) -> list[Tick]:
        numbers = range(0, self.clients, -(-self.clients // Y_TICKS))
        return [Tick(round(TOP + (n + 0.5) * self.row, 2), str(n)) for n in numbers]


def _bars(spans: Sequence[_Span], axes: _Axes) -> list[Bar]:
    """Return the bars; where entries attack a client at once, they share its row."""
    lanes = _lanes(spans)
    height = axes.row / (max(lanes.values(), default=0) + 1)
    bars: list[Bar] = []
    for span in spans:
        upper = TOP + lanes[span.number] * height
        bars += [axes.bar(span, upper + c * axes.row, height) for c in sorted(span.clients)]
    lots = [span for span in spans if span.is_open]
    below = [
        axes.bar(span, axes.edge + place * OPEN_ROW + GAP, OPEN_ROW - GAP)
        for place, span in enumerate(lots)
    ]
    return [*bars, *below]


def _lanes(spans: Sequence[_Span]) -> dict[int, int]:
    """Give each entry the first lane that no earlier entry it meets has."""
    lanes: dict[int, int] = {}
    for place, span in enumerate(spans):
        taken = {lanes[other.number] for other in spans[:place] if span.meets(other)}
        lanes[span.number] = next(lane for lane in range(place + 1) if lane not in taken)
    return lanes


def _is_count(value: Any, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _window(entry: Any, rounds: int) -> tuple[int, int] | None:
    """Return the first and last round that can be drawn, None if the entry names none."""
    if not isinstance(entry, dict):
        return None
    first, last = entry.get("start_round"), entry.get("end_round")
    if not _is_count(first, rounds) or not _is_count(last, MOST_ROUNDS) or last < first:
        return None
    return first, min(last, rounds)


def _chosen(
    entry: Mapping[str, Any], settings: Mapping[str, Any], resolved: AttackEntry | None
) -> list[int] | None:
    """Return the clients as far as they are settled, ascending; None if the run draws them."""
    named = entry.get("selected_client_ids")
    if named is None and entry.get("selection_strategy") == "specific":
        named = entry.get("malicious_client_ids") or []
    if isinstance(named, list):
        return sorted({client for client in named if isinstance(client, int)})
    is_settled = settings.get("seed") is not None or entry.get("random_seed") is not None
    return resolved.selected_client_ids if resolved and is_settled else None


def _who(entry: Mapping[str, Any], chosen: Sequence[int] | None) -> str:
    if chosen is not None:
        listed = ", ".join(map(str, chosen[:12])) + (", …" if len(chosen) > 12 else "")
        return f"client{'s' if len(chosen) != 1 else ''} {listed or 'still to name'}"
    if entry.get("selection_strategy") == "percentage":
        share = entry.get("malicious_percentage")
        amount = f"{share:.0%} of the clients" if isinstance(share, int | float) else "a share"
    else:
        count = entry.get("malicious_client_count")
        amount = f"{count} client{'s' if count != 1 else ''}" if count else "some clients"
    return f"{amount}, drawn from the seed"
