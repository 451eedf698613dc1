"""The console script `intellifl-dev`: `intellifl-dev dev` starts everything on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from django.core.management import ManagementUtility

USAGE = """\
usage: intellifl-dev dev [--host HOST] [--port PORT] [--quickstart]
       intellifl-dev help

dev   start the server and the local queue; Ctrl-C stops both
help  show this text"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verb that the arguments name; return the exit code."""
    verb, *rest = [*(sys.argv[1:] if arguments is None else arguments), ""]
    if verb in ("help", "--help", "-h"):
        print(USAGE)
        return 0
    if verb != "dev":
        wrong = f"unknown verb {verb!r}" if verb else "a verb is missing"
        print(f"intellifl-dev: {wrong}\n{USAGE}", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intellifl.settings")
    ManagementUtility(["intellifl-dev", "dev", *rest[:-1]]).execute()
    return 0
