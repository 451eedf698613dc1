"""Files that appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulations.fl.errors import StorageError

PREFIX = ".writing-"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` afterwards, or remove it on an error.

    Raises StorageError, naming the file and the reason, when the system cannot write it.
    """
    writer = f"{os.getpid()}-{threading.get_native_id()}"
    draft = path.with_name(f"{PREFIX}{writer}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path.name}: {error.strerror or error}") from error
    finally:
        if draft.exists():  # missing_ok still fails where a folder of the path is a file
            draft.unlink()


def write_text(path: Path, text: str) -> None:
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
