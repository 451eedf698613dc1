"""A run's log as it grows; one that cannot be opened, or is a link, counts as missing."""

from __future__ import annotations

import os
from pathlib import Path

from simulations.artifacts.folder import LOG
from simulations.result_files import NoSuchFile, open_file


class LogFile:
    """The log in a run's folder, opened for each look so that waiting clients hold no file."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    def size(self) -> int | None:
        """Return the size in bytes, or None while there is no log."""
        try:
            with open_file(self._run_dir, LOG) as log:
                return os.fstat(log.fileno()).st_size
        except NoSuchFile:
            return None

    def read(self, offset: int, limit: int) -> bytes:
        """Return at most `limit` bytes from `offset` on; fewer or none where the log ends."""
        try:
            with open_file(self._run_dir, LOG) as log:
                return os.pread(log.fileno(), limit, offset)
        except NoSuchFile:
            return b""
