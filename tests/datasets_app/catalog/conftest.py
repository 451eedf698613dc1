"""Real packages and real hub datasets, as small as they can be."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from datasets_app.catalog.package_formats import csv_pixels
from datasets_app.catalog.spec import DatasetSpec, HubSource, Package, PackageSource
from tests.datasets_app.catalog.made import MEMBER, csv_member


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
