"""Datasets outside the catalogue, by their name on the hub or by their path in the data folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.spec import DatasetSpec, FolderSource, HubSource

PART = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9])?"
HUB_NAME = re.compile(rf"{PART}(?:/{PART})?")
LONGEST = 300
NETWORKS = {"image": "cnn_wide", "text": "transformer"}


def named(
    name: str,
    *,
    modality: Literal["image", "text"],
    config: str | None = None,
    image_column: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    needs_label: bool = True,
) -> DatasetSpec:
    """Describe a dataset of which nothing is known but how it is to be used.

    Its splits, its shape, its classes and the columns that are None are found in the data. Raises
    DataUnavailable for a name that can be none.
    """
    problem = refusal(name)
    if problem:
        raise DataUnavailable(f"{name[:100]!r} {problem}")
    return DatasetSpec(
        keyword=str(PurePosixPath(name)),
        title=name,
        source=_source(name, config),
        modality=modality,
        num_classes=0,
        shape=(),
        num_train=0,
        num_test=0,
        licence="see its page on the hub",
        network=NETWORKS[modality],
        image_column=image_column or "",
        text_columns=(text_column,) if text_column else (),
        label_column=label_column or ("" if needs_label else None),
        is_detected=True,
    )


def refusal(name: str) -> str | None:
    """Return why `name` can be no dataset's name, if so."""
    if not name.strip() or len(name) > LONGEST or not name.isprintable():
        return f"must be a name of 1 to {LONGEST} printable characters"
    if ".." in PurePosixPath(name).parts or "\\" in name or name.startswith("~"):
        return "must not lead out of INTELLIFL_DATA_DIR: leave out '..', '~' and backslashes"
    if is_path(name) or _is_hub_name(name):
        return None
    return (
        "is no name of a dataset: use owner/name or name as on the hub (letters, digits, '-', "
        "'_' and '.'), or a path below INTELLIFL_DATA_DIR such as ./my_set"
    )


def is_path(name: str) -> bool:
    """Tell whether `name` can only be a path; owner/name may be one as well."""
    return name.startswith(("/", "./")) or name.count("/") > 1


def located(spec: DatasetSpec, data_dir: Path) -> DatasetSpec:
    """Return `spec` with the keyword below `data_dir`; raise DataUnavailable if it lies outside."""
    path, data_dir = Path(spec.keyword), data_dir.absolute()
    if not path.is_absolute():
        return spec
    if path == data_dir or not path.is_relative_to(data_dir):
        raise DataUnavailable(
            f"{spec.title} lies outside INTELLIFL_DATA_DIR; put it there, where runs may read"
        )
    return replace(spec, keyword=str(path.relative_to(data_dir)))


def _source(name: str, config: str | None) -> HubSource | FolderSource:
    if is_path(name):
        return FolderSource()
    return HubSource(name, config)


def _is_hub_name(name: str) -> bool:
    return HUB_NAME.fullmatch(name) is not None and "--" not in name
