"""Look at a dataset without loading it: `python -m datasets_app.catalog.inspection NAME DATA_DIR`.

A process of its own, because it loads `datasets` and may wait for the hub. It prints one JSON
object, the answer of `/api/datasets/validate`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import (
    ClassLabel,
    Dataset,
    DatasetBuilder,
    Features,
    Image,
    load_dataset_builder,
)
from datasets.exceptions import DatasetsError
from httpx import HTTPError

from datasets_app.catalog import availability, detection, hub, local_copy
from datasets_app.catalog.detection import Place
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.hub import Refused
from datasets_app.catalog.named import located, named
from datasets_app.catalog.spec import DatasetSpec, HubSource


@dataclass(frozen=True)
class Contents:
    """What a dataset holds; `num_examples` is None where nobody has counted them."""

    splits: list[str]
    num_examples: int | None
    features: Features


def verdict(name: str, data_dir: Path) -> dict[str, Any]:
    """Tell whether a dataset outside the catalogue is there and whether a run can use it."""
    try:
        spec = located(named(name, modality="image"), data_dir)
        contents = _contents(spec, data_dir)
    except (DataUnavailable, Refused) as error:
        return {"valid": False, "error": _sentence(str(error))}
    found, reason = _usable(contents, Place(name, "it"))
    info = {
        "splits": contents.splits,
        "num_examples": contents.num_examples,
        "features": ", ".join(f"{name}: {_kind(it)}" for name, it in contents.features.items()),
        "has_label": "label" in found,
        "key_features": list(found.values()),
    }
    return {"valid": True, "compatible": reason is None, "reason": reason, "info": info}


def _contents(spec: DatasetSpec, data_dir: Path) -> Contents:
    folder = data_dir / spec.keyword
    if availability.has_local_copy(folder):
        return _local(spec, folder)
    if not isinstance(spec.source, HubSource):
        raise DataUnavailable(f"{spec.title} holds no dataset. {local_copy.ways(spec)}")
    if not hub.is_reachable(spec.source):
        try:
            return _of_builder(hub.cache_builder(spec.source))
        except (OSError, ValueError) as error:
            raise Refused(hub.UNREACHABLE) from error
    try:
        return _on_hub(spec.source)
    except (DatasetsError, HTTPError, OSError, ValueError, RuntimeError) as error:
        raise hub.refused(spec.source, error) from error


def _local(spec: DatasetSpec, folder: Path) -> Contents:
    if availability.arrays(folder) is not None:
        data = local_copy.read(spec, folder)
        label = ClassLabel(names=list(data.class_names))
        features = Features({"image": Image(), "label": label})
        num_examples = len(data.train_labels) + len(data.test_labels)
        return Contents(["train", "test"], num_examples, features)
    with local_copy.tables(spec.keyword, folder) as tables:
        first = next(iter(tables.values()))
        return Contents(list(tables), sum(map(len, tables.values())), first.features)


def _on_hub(source: HubSource) -> Contents:
    builder = load_dataset_builder(source.name, source.config)
    if builder.info.features is not None and builder.info.splits:
        return _of_builder(builder)
    # Where the dataset's card does not say it, the first samples do.
    streams = builder.as_streaming_dataset()
    features = next(iter(streams.values()))._resolve_features().features
    return Contents(list(streams), None, features)


def _of_builder(builder: DatasetBuilder) -> Contents:
    counts = {name: split.num_examples for name, split in (builder.info.splits or {}).items()}
    return Contents(list(counts), sum(counts.values()), builder.info.features or Features())


def _usable(contents: Contents, place: Place) -> tuple[dict[str, str], str | None]:
    """Return the columns that a run would take, and what is missing."""
    table = Dataset.from_dict({name: [] for name in contents.features}, features=contents.features)
    found: dict[str, str] = {}
    try:
        if not contents.splits:
            raise place.unusable("has no splits")
        found["sample"] = _sample_column(table, place)
        found["label"] = detection.label_column(table, place, set(found.values()))
        if len(contents.splits) > 1 and not set(contents.splits) & set(detection.TRAIN):
            raise place.unusable(f"has no split train; it has {', '.join(contents.splits)}")
    except DataUnavailable as error:
        return found, str(error)
    return found, None


def _sample_column(table: Dataset, place: Place) -> str:
    try:
        return detection.image_column(table, place)
    except DataUnavailable:
        return detection.text_column(table, place)


def _sentence(text: str) -> str:
    # Not of a name, which is what it is.
    text = f"The {text[4:]}" if text.startswith("the ") else text
    return text if text.endswith(".") else f"{text}."


def _kind(feature: Any) -> str:
    names = getattr(feature, "names", None)
    return f"{len(names)} classes" if names else str(getattr(feature, "dtype", feature))


if __name__ == "__main__":
    print(json.dumps(verdict(sys.argv[1], Path(sys.argv[2]))))
