"""`python -m tests.benchmarks [NAME …]`: measure in a database and folder made for it."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        os.environ |= {
            "DATABASE_URL": f"sqlite:///{Path(home) / 'db.sqlite3'}",
            "INTELLIFL_OUT_DIR": str(Path(home) / "out"),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DJANGO_SETTINGS_MODULE": "intellifl.settings",
        }
        django.setup()
        # Only now: it imports models.
        import_module("tests.benchmarks.service").main(sys.argv[1:])


if __name__ == "__main__":
    main()
