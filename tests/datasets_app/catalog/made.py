"""Data as small as it can be, and packages that hold it."""

from __future__ import annotations

import gzip
import io
import tarfile

import numpy as np
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as PILImage

MEMBER = "tinydigits/data/tiny.csv.gz"
RNG = np.random.default_rng(7)
PIXELS = RNG.integers(0, 17, size=(40, 4))
LABELS = np.arange(40) % 2


def csv_member() -> bytes:
    lines = [",".join(map(str, [*row, label])) for row, label in zip(PIXELS, LABELS, strict=True)]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


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
