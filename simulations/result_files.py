"""The files of a run that readers may fetch: which they are, and how one is opened safely."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

TYPES = {
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
    ".tex": "text/plain; charset=utf-8",
    ".bib": "text/plain; charset=utf-8",
}
PRIVATE = frozenset({"checkpoints", "dataset", "datasets"})
FORBIDDEN = ("\\", "\0", ":")


class UnsupportedType(ValueError):
    """Files of this type are not served."""


class NoSuchFile(LookupError):
    """The run has no file of this name that may be fetched."""


def listed(run_dir: Path) -> list[str]:
    """Return the servable files below `run_dir` as sorted relative paths, separated by `/`."""
    return sorted(_walk(run_dir, run_dir))


def content_type(name: str) -> str:
    """Return the type of a servable file; raise UnsupportedType for any other."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in TYPES:
        raise UnsupportedType(f"Files of type {suffix or 'none'} are not served; {_allowed()}.")
    return TYPES[suffix]


def open_file(run_dir: Path, name: str) -> BinaryIO:
    """Open the regular file `name` below `run_dir`; raise UnsupportedType or NoSuchFile.

    Each step is opened relative to the step before and follows no link, so that neither `..` nor
    a link, even one made after a check, leads out of the folder.
    """
    missing = NoSuchFile("The simulation has no such result file.")
    parts = name.split("/")
    if any(sign in name for sign in FORBIDDEN) or not all(_is_public(part) for part in parts):
        raise missing
    content_type(name)
    if parts[0] in PRIVATE:
        raise missing
    try:
        return _open(run_dir, parts)
    except OSError:
        raise missing from None


def _open(run_dir: Path, parts: list[str]) -> BinaryIO:
    here = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        opened = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError
    return os.fdopen(opened, "rb")


def _walk(run_dir: Path, here: Path) -> Iterator[str]:
    try:
        entries = list(os.scandir(here))
    except OSError:  # A run that has no folder yet has no files.
        return
    for entry in entries:
        if not _is_public(entry.name) or (here == run_dir and entry.name in PRIVATE):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(run_dir, here / entry.name)
        elif entry.is_file(follow_symlinks=False) and _is_servable(entry.name):
            yield (here / entry.name).relative_to(run_dir).as_posix()


def _is_public(part: str) -> bool:
    return bool(part) and not part.startswith(".")


def _is_servable(name: str) -> bool:
    servable = PurePosixPath(name).suffix.lower() in TYPES
    return servable and not any(sign in name for sign in FORBIDDEN)


def _allowed() -> str:
    return f"allowed are {', '.join(TYPES)}"
