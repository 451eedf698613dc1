"""`python -m tests.on_postgres [OPTION …]`: run pytest with a PostgreSQL made for it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.servers import postgres


def main() -> int:
    with postgres() as url:
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(
            command, env={**os.environ, "DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
