from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets_app.catalog.archives import BrokenArchive, WrongChecksum, take_out
from tests.datasets_app.catalog.made import debian_package

MEMBERS = {"data/one.gz": b"first" * 1000, "data/two.gz": b"second"}


def tarball(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wheel(folder: Path) -> Path:
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other.txt", "x")
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return path


def sdist(folder: Path) -> Path:
    path = folder / "thing-1.0.tar.gz"
    path.write_bytes(tarball({f"thing-1.0/{name}": it for name, it in MEMBERS.items()}))
    return path


def deb(folder: Path) -> Path:
    path = folder / "thing_1.0_all.deb"
    path.write_bytes(debian_package("thing", {f"./{name}": it for name, it in MEMBERS.items()}))
    return path


def checksums(members: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}


BUILDERS = pytest.mark.parametrize("build", [wheel, sdist, deb])


@BUILDERS
def test_the_wanted_members_come_out_whole(build: Callable[[Path], Path], tmp_path: Path) -> None:
    found = take_out(build(tmp_path), checksums(MEMBERS), tmp_path)
    assert {name: path.read_bytes() for name, path in found.items()} == MEMBERS


@BUILDERS
def test_a_changed_member_is_told_with_both_checksums(
    build: Callable[[Path], Path], tmp_path: Path
) -> None:
    expected = {**checksums(MEMBERS), "data/two.gz": "0" * 64}
    actual = hashlib.sha256(b"second").hexdigest()
    with pytest.raises(WrongChecksum, match=f"data/two.gz of thing.*{actual}, expected {'0' * 64}"):
        take_out(build(tmp_path), expected, tmp_path)


@BUILDERS
def test_a_missing_member_is_named(build: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(BrokenArchive, match=r"it holds no data/three\.gz"):
        take_out(build(tmp_path), {"data/three.gz": "0" * 64}, tmp_path)


@BUILDERS
@pytest.mark.parametrize("kept", [0.2, 0.6])
def test_an_archive_that_is_cut_off_is_refused(
    build: Callable[[Path], Path], kept: float, tmp_path: Path
) -> None:
    path = build(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(BrokenArchive):
        take_out(path, checksums(MEMBERS), tmp_path)


def test_names_that_lead_elsewhere_are_written_nowhere_else(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    path = tmp_path / "evil-1.0.tar.gz"
    path.write_bytes(tarball({"../data/two.gz": b"second"}))
    found = take_out(path, checksums({"data/two.gz": b"second"}), inside)
    assert [it.parent for it in found.values()] == [inside]
    assert not (tmp_path / "data").exists()
