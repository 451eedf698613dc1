from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulations.management.script import Script
from simulations.models import Simulation, Status

COLUMNS = (
    "simulation_id",
    "status",
    "progress",
    "strategy_name",
    "dataset_keyword",
    "created_at",
    "display_name",
)


class Command(Script):
    help = "List simulations, newest first: a table on a terminal, tabbed lines in a pipe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", choices=Status.values)
        parser.add_argument("--limit", type=_positive, default=50, help="default 50")
        parser.add_argument("--json", action="store_true", help="print a JSON array")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Simulation.objects.order_by("-created_at", "-id")
        if options["status"]:
            rows = rows.filter(status=options["status"])
        listed = [_summary(row) for row in rows[: options["limit"]]]
        if options["json"]:
            self.data(json.dumps(listed))
        elif sys.stdout.isatty():
            Console().print(_table(listed))
        else:
            for row in listed:
                self.data("\t".join(_cell(row[name]) for name in COLUMNS))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _summary(row: Simulation) -> dict[str, Any]:
    return {
        "simulation_id": row.simulation_id,
        "status": row.status,
        "progress": row.progress,
        "strategy_name": row.strategy_names,
        "dataset_keyword": row.dataset_keyword,
        "created_at": row.created_at.isoformat(),
        "display_name": row.display_name,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in COLUMNS))
    return table


def _cell(value: Any) -> str:
    """Return one cell; a name with a tab or a line end must not make another cell or line."""
    text = f"{value:.0%}" if isinstance(value, float) else str(value)
    return " ".join(text.split())
