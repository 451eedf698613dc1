"""Files inside the archives that packages are: wheels, source distributions, Debian packages."""

from __future__ import annotations

import hashlib
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from gzip import BadGzipFile
from io import BytesIO
from pathlib import Path
from typing import IO

SUFFIXES = (".whl", ".tar.gz", ".zip", ".deb")
AR_MAGIC, AR_HEADER = b"!<arch>\n", 60
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    BadGzipFile,
    EOFError,
    ValueError,
)


class BrokenArchive(Exception):
    """An archive that is damaged or does not hold what is wanted; the message says which."""


class WrongChecksum(Exception):
    """A member that is not the published one; the message names both checksums."""


def take_out(archive: Path, members: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Write the members of an archive into `folder`, by number; return each one's path.

    `members` maps names to sha256. Raises BrokenArchive and WrongChecksum.
    """
    paths: dict[str, Path] = {}
    try:
        for found, file in _files(archive):
            name = next((name for name in members if _is_named(found, name)), None)
            if name is not None and name not in paths:
                paths[name] = folder / f"member-{len(paths)}"
                with paths[name].open("wb") as copy:
                    shutil.copyfileobj(file, copy, 1 << 20)
    except DAMAGE as error:
        raise BrokenArchive(f"{archive.name} cannot be read ({error})") from error
    for name, sha256 in members.items():
        if name not in paths:
            raise BrokenArchive(f"{archive.name} cannot be used (it holds no {name})")
        _check(name, paths[name], sha256, archive.name)
    return paths


def _check(name: str, path: Path, sha256: str, archive: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        raise WrongChecksum(f"{name} of {archive} has the sha256 {digest}, expected {sha256}")


def _is_named(found: str, name: str) -> bool:
    """Tell whether a path in an archive is `name`; in a source distribution a folder precedes."""
    return found.removeprefix("./") == name or found.partition("/")[2] == name


def _files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if archive.suffix == ".deb":
        with _data_of_deb(archive) as data:
            yield from _files_of_tar(data)
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                with wheel.open(name) as file:
                    yield name, file
    else:
        with archive.open("rb") as sdist:
            yield from _files_of_tar(sdist)


def _files_of_tar(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=stream) as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isfile() else None
            if file is not None:
                yield info.name, file


@contextmanager
def _data_of_deb(path: Path) -> Iterator[IO[bytes]]:
    """Give the tar archive inside a Debian package, which is an ar archive (deb(5))."""
    content = path.read_bytes()
    if not content.startswith(AR_MAGIC):
        raise ValueError("it is no Debian package")
    place = len(AR_MAGIC)
    while place < len(content):
        header = content[place : place + AR_HEADER]
        size, start = int(header[48:58]), place + AR_HEADER
        if header.startswith(b"data.tar"):
            yield BytesIO(content[start : start + size])
            return
        place = start + size + size % 2
    raise ValueError("it has no data")
