"""The real apt-get, on an archive that consists of one folder."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog.loading import DataUnavailable, ImageData, load
from datasets_app.catalog.package_formats import idx
from datasets_app.catalog.progress import Step
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource
from tests.datasets_app.catalog.made import debian_package

FOLDER = "usr/share/tiny-pictures"
RNG = np.random.default_rng(11)
ARRAYS = {
    "train-images.gz": RNG.integers(0, 256, (9, 3, 5), dtype=np.uint8),
    "train-labels.gz": np.array([0, 1, 0, 1, 0, 1, 0, 1, 1], dtype=np.uint8),
    "test-images.gz": RNG.integers(0, 256, (4, 3, 5), dtype=np.uint8),
    "test-labels.gz": np.array([1, 0, 1, 0], dtype=np.uint8),
}
pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")


def idx_file(array: np.ndarray) -> bytes:
    """Write an array as LeCun describes the format of MNIST's files."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes(), mtime=0)


FILES = {f"{FOLDER}/{name}": idx_file(array) for name, array in ARRAYS.items()}


@pytest.fixture
def spec() -> DatasetSpec:
    members = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    package = Package("dataset-tiny-pictures", "1.0", members, 1_000, client="apt")
    source = PackageSource(package, idx)
    return DatasetSpec("tinydeb", "Tiny", source, "image", 2, (1, 3, 5), 9, 4, "none")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that apt-get can see: a folder with one package and its index."""
    folder = tmp_path / "archive"
    folder.mkdir()
    content = debian_package("dataset-tiny-pictures", {f"./{it}": FILES[it] for it in FILES})
    (folder / "tiny.deb").write_bytes(content)
    (folder / "Packages").write_text(
        "Package: dataset-tiny-pictures\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\n"
        f"Filename: ./tiny.deb\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\nDescription: tiny\n\n"
    )
    sources = tmp_path / "sources.list"
    sources.write_text(f"deb [trusted=yes] file:{folder} ./\n")
    state = tmp_path / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    config = tmp_path / "apt.conf"
    config.write_text(
        f'Dir::Etc::SourceList "{sources}";\nDir::Etc::SourceParts "/dev/null";\n'
        f'Dir::State::Lists "{state}/lists";\nDir::Cache "{state}/cache";\n'
        'APT::Sandbox::User "root";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(config))
    subprocess.run(["apt-get", "update", "-q"], check=True, capture_output=True, timeout=60)
    return folder


def test_apt_get_fetches_the_package_and_its_idx_files_are_read(
    spec: DatasetSpec, archive: Path, tmp_path: Path
) -> None:
    steps: list[Step] = []
    data = load(spec, tmp_path / "data", steps.append)
    assert isinstance(data, ImageData)
    assert np.array_equal(data.train_images[:, 0], ARRAYS["train-images.gz"])
    assert np.array_equal(data.test_images[:, 0], ARRAYS["test-images.gz"])
    assert data.train_labels.tolist() == ARRAYS["train-labels.gz"].tolist()
    assert data.test_labels.tolist() == ARRAYS["test-labels.gz"].tolist()
    assert (data.train_labels.dtype, data.class_names) == (np.dtype(np.int64), ("0", "1"))
    assert str(steps[0]) == "tinydeb: fetching dataset-tiny-pictures 1.0 (0.0 MB)"


def test_a_package_that_apt_does_not_know_names_the_ways(
    spec: DatasetSpec, archive: Path, tmp_path: Path
) -> None:
    assert isinstance(spec.source, PackageSource)
    source = replace(spec.source, package=replace(spec.source.package, name="dataset-unheard-of"))
    with pytest.raises(DataUnavailable) as caught:
        load(replace(spec, source=source), tmp_path / "data")
    text = str(caught.value)
    assert "Unable to locate package dataset-unheard-of" in text
    for way in ("`apt-get update`", "(.deb) into INTELLIFL_DATA_DIR/tinydeb/", "or copy"):
        assert way in text


def test_without_apt_get_the_error_says_so(
    spec: DatasetSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DataUnavailable, match="this machine has no apt-get"):
        load(spec, tmp_path / "data")


def test_a_package_that_someone_put_there_is_taken(
    spec: DatasetSpec, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    folder = tmp_path / "data" / "tinydeb"
    folder.mkdir(parents=True)
    (archive / "tiny.deb").rename(folder / "tiny.deb")
    assert len(load(spec, tmp_path / "data").train_labels) == 9
    assert sorted(path.name for path in folder.iterdir()) == ["data.npz", "tiny.deb"]


def test_files_that_are_no_idx_are_refused(spec: DatasetSpec, tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(b"\0\0\x0d\x01" + bytes(8)))
    with pytest.raises(DataUnavailable, match="is no IDX file of bytes"):
        idx(spec, dict.fromkeys("abcd", path))
