"""How samples and their classes are spread over the clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from simulations import result_files
from simulations.fl import label_distribution, strict_json
from simulations.fl.label_distribution import LabelDistribution
from simulations.pages.run.asked import Asked

PAGE_SIZE = 50
MAX_CLASSES = 100
FIGURE = "plots/label_distribution_{}.png"
MEANINGS = {
    "size_min": "Fewest samples",
    "size_median": "Median of samples",
    "size_max": "Most samples",
    "size_variation": "Variation of sizes (std / mean)",
    "total_variation_mean": "Total variation, mean",
    "total_variation_max": "Total variation, most",
    "classes_min": "Fewest classes",
    "classes_mean": "Classes, mean",
}
CELL_WIDTH, CELL_HEIGHT, LEFT, TOP = 26, 18, 96, 22


@dataclass(frozen=True)
class Cell:
    """One class of one client; `share` of the client's samples, the largest of all being 1."""

    x: int
    share: str
    text: str


@dataclass(frozen=True)
class Row:
    client: int
    y: int
    size: int
    is_attacker: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Map:
    """Clients by classes, in the units of the view box."""

    names: list[tuple[int, str]]
    rows: list[Row]
    width: int
    height: int
    cell_width: int = CELL_WIDTH - 2
    cell_height: int = CELL_HEIGHT - 2
    left: int = LEFT
    top: int = TOP


def context(about: Asked) -> dict[str, Any]:
    run = about.run
    spread, problem = _spread(about)
    clients = len(spread.sizes) if spread else 0
    pages = max(1, -(-clients // PAGE_SIZE))
    page = min(max(1, about.number("page", 1)), pages)
    return {
        "spread": spread,
        "spread_problem": problem,
        "numbers": _numbers(spread) if spread else [],
        "map": _map(spread, (page - 1) * PAGE_SIZE) if spread else None,
        "figure": _figure(about),
        "page": page,
        "pages": pages,
        "query": urlencode({"tab": "data", "strategy": run.number}),
    }


def _spread(about: Asked) -> tuple[LabelDistribution | None, str | None]:
    """Return what the engine wrote, or what is wrong with the file."""
    try:
        return label_distribution.read(about.run_dir, about.run.number), None
    except (strict_json.StrictJSONError, KeyError, TypeError, ValueError) as error:
        name = label_distribution.NAME.format(about.run.number)
        return None, f"{name} cannot be read: {error}"


def _numbers(spread: LabelDistribution) -> list[tuple[str, str]]:
    measured = label_distribution.heterogeneity(spread)
    return [(MEANINGS[name], f"{value:g}") for name, value in measured.items()]


def _map(spread: LabelDistribution, start: int) -> Map | None:
    if spread.counts is None:
        return None
    end = min(start + PAGE_SIZE, len(spread.sizes))
    counts = spread.counts[start:end, :MAX_CLASSES]
    shares = spread.counts / np.maximum(spread.sizes, 1)[:, None]
    darkness = shares[start:end] / max(float(shares.max()), 1e-9)
    names = list(spread.class_names[:MAX_CLASSES]) or [*map(str, range(counts.shape[1]))]
    columns = [(LEFT + place * CELL_WIDTH, name) for place, name in enumerate(names)]
    rows = [
        Row(
            client=start + place,
            y=TOP + place * CELL_HEIGHT,
            size=int(spread.sizes[start + place]),
            is_attacker=start + place in spread.attackers,
            cells=[
                Cell(x, f"{dark:.3f}", f"{name}: {count}")
                for (x, name), dark, count in zip(columns, darkness[place], own, strict=False)
            ],
        )
        for place, own in enumerate(counts.tolist())
    ]
    return Map(columns, rows, LEFT + len(names) * CELL_WIDTH, TOP + len(rows) * CELL_HEIGHT)


def _figure(about: Asked) -> str | None:
    """Return the address of the figure, which is drawn when a strategy has ended."""
    name = FIGURE.format(about.run.number)
    try:
        result_files.open_file(about.run_dir, name).close()
    except result_files.NoSuchFile:
        return None
    return f"/api/simulations/{about.row.simulation_id}/results/{quote(name)}"
