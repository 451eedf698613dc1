"""`python -m tests.benchmarks [NAME …]`: measure in a database and folder made for it.

Prints a table; the rows of the last run on a quiet machine are in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command
from rich.console import Console
from rich.table import Table

SUBJECTS = ("service", "lists")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ |= {
            "DATABASE_URL": f"sqlite:///{Path(home) / 'db.sqlite3'}",
            "INTELLIFL_OUT_DIR": str(Path(home) / "out"),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DJANGO_SETTINGS_MODULE": "intellifl.settings",
        }
        django.setup()
        call_command("migrate", verbosity=0)
        _measure(sys.argv[1:])


def _measure(chosen: list[str]) -> None:
    table = Table("what", "measured", "to reach")
    for subject in SUBJECTS:
        # Only now: they import models.
        for benchmark in import_module(f"tests.benchmarks.{subject}").BENCHMARKS:
            if not chosen or benchmark.__name__ in chosen:
                for row in benchmark():
                    table.add_row(*row)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
