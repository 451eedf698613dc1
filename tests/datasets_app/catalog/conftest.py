"""Real packages and real hub datasets, as small as they can be."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as PILImage

from datasets_app.catalog.loading import ImageData, load
from datasets_app.catalog.package_formats import csv_pixels
from datasets_app.catalog.spec import DatasetSpec, HubSource, Package, PackageSource

MEMBER = "tinydigits/data/tiny.csv.gz"
RNG = np.random.default_rng(7)
PIXELS = RNG.integers(0, 17, size=(40, 4))
LABELS = np.arange(40) % 2


def csv_member() -> bytes:
    lines = [",".join(map(str, [*row, label])) for row, label in zip(PIXELS, LABELS, strict=True)]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


@pytest.fixture
def tiny_package() -> DatasetSpec:
    """Two classes of 2x2 images in a package that only `package_index` holds."""
    members = {MEMBER: hashlib.sha256(csv_member()).hexdigest()}
    package = Package("tinydigits", "1.0", members, download_bytes=1_000)
    source = PackageSource(package, partial(csv_pixels, max_value=16))
    return DatasetSpec("tiny", "Tiny", source, "image", 2, (1, 2, 2), 32, 8, "none")


@pytest.fixture
def package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip can see."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return index


@pytest.fixture
def wheel(package_index: Path) -> Callable[[bytes], Path]:
    def build(member: bytes) -> Path:
        path = package_index / "tinydigits-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(MEMBER, member)
            info = "tinydigits-1.0.dist-info"
            archive.writestr(
                f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinydigits\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return path

    return build


@pytest.fixture
def tiny_hub() -> DatasetSpec:
    """Three classes of 5x4 colour images, as a hub dataset with a train and a test split."""
    source = HubSource("nobody/tiny-images")
    return DatasetSpec("tinyhub", "Tiny", source, "image", 3, (3, 4, 5), 12, 6, "none")


@pytest.fixture
def grey_hub(tiny_hub: DatasetSpec) -> DatasetSpec:
    """The same without a test split, grey, and with classes that are left out."""
    source = HubSource("nobody/tiny-images", test_split=None, keeps_first_classes=True)
    return replace(tiny_hub, keyword="greyhub", source=source, num_classes=2, shape=(1, 4, 5))


def loaded(spec: DatasetSpec, data_dir: Path) -> ImageData:
    data = load(spec, data_dir)
    assert isinstance(data, ImageData)
    return data


def pictures(count: int, seed: int, *, mode: str = "RGB") -> list[PILImage.Image]:
    shape = (count, 4, 5) if mode == "L" else (count, 4, 5, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, size=shape, dtype=np.uint8)
    return [PILImage.fromarray(picture) for picture in pixels]


def table(images: list[PILImage.Image], labels: list[int], *, num_classes: int = 3) -> Dataset:
    features = Features(
        {
            "image": Image(),
            "label": ClassLabel(num_classes=num_classes),
            "writer": Value("string"),
        }
    )
    columns = {"image": images, "label": labels, "writer": ["w"] * len(labels)}
    return Dataset.from_dict(columns, features=features)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process of its own, with exactly these variables beside PATH."""
    import os

    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def debian_package(name: str, files: dict[str, bytes], version: str = "1.0") -> bytes:
    """Return a Debian package (deb(5)) that installs `files`."""
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
    control += f"Description: {name}\n"
    members = {
        "debian-binary": b"2.0\n",
        "_odd": b"an odd number",
        "control.tar.xz": _tar_xz({"./control": control.encode()}),
        "data.tar.xz": _tar_xz(files),
    }
    content = b"!<arch>\n"
    for member, data in members.items():
        header = f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
        content += header.encode() + data + b"\n" * (len(data) % 2)
    return content


def _tar_xz(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
