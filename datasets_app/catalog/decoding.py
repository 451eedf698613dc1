"""From tables with columns of images or texts and labels to data, with everything checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset

from datasets_app.catalog import checks, detection, image_data, pictures, text_data
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData, Pixels
from datasets_app.catalog.labels import Ids, Labels
from datasets_app.catalog.spec import DatasetSpec, HubSource
from datasets_app.catalog.text_data import Data, TextData, Texts


@dataclass(frozen=True)
class Part:
    """The samples of one split that are used, with their labels and whose they are."""

    table: Dataset
    labels: Labels
    ids: Ids | None
    where: str


def decode(spec: DatasetSpec, splits: Mapping[str, Dataset], place: str) -> Data:
    """Decode the splits that the spec names; raise DataUnavailable if they do not fit it."""
    if spec.is_detected:
        spec = detection.describe(spec, splits, place)
    source = spec.source
    if not isinstance(source, HubSource):
        raise TypeError(f"{spec.keyword} has no splits")
    names = _label_names(spec, splits, source)
    train = _part(spec, splits, source.train_split, place, names)
    test = None
    if source.test_split is not None:
        test = _part(spec, splits, source.test_split, place, names)
    if spec.modality == "text":
        return checks.check(spec, _texts(spec, train, test, names), place)
    return checks.check(spec, _images(spec, train, test, names), place)


def _images(spec: DatasetSpec, train: Part, test: Part | None, names: tuple[str, ...]) -> ImageData:
    images = pictures.decode(spec, train.table, train.where)
    if test is None:
        data = image_data.split(images, train.labels, train.ids)
        return ImageData(**{**vars(data), "class_names": names})
    test_images: Pixels = pictures.decode(spec, test.table, test.where)
    return ImageData(images, train.labels, test_images, test.labels, train.ids, names)


def _texts(spec: DatasetSpec, train: Part, test: Part | None, names: tuple[str, ...]) -> TextData:
    texts = _text_column(spec, train)
    if test is None:
        data = text_data.split(texts, train.labels, train.ids)
        return TextData(**{**vars(data), "class_names": names})
    test_texts = _text_column(spec, test)
    return TextData(texts, train.labels, test_texts, test.labels, train.ids, names)


def _label_names(
    spec: DatasetSpec, splits: Mapping[str, Dataset], source: HubSource
) -> tuple[str, ...]:
    """Return the names of the classes: those that are known, else those that the column has."""
    table = splits.get(source.train_split)
    if spec.class_names or spec.label_column is None or table is None:
        return spec.class_names
    feature = table.features.get(spec.label_column)
    if isinstance(feature, ClassLabel):
        return tuple(feature.names)[: spec.num_classes]
    if not _holds_strings(table, spec.label_column):
        return checks.class_names(spec)
    used = [
        splits[name] for name in (source.train_split, source.test_split or "") if name in splits
    ]
    place = detection.Place(spec.keyword, f"column {spec.label_column!r} of {source.name}")
    names = detection.class_names(used, spec.label_column, place)
    if len(names) != spec.num_classes:
        raise place.unusable(f"holds {len(names)} different labels, expected {spec.num_classes}")
    return names


def _part(
    spec: DatasetSpec,
    splits: Mapping[str, Dataset],
    name: str,
    place: str,
    names: tuple[str, ...],
) -> Part:
    if name not in splits:
        found = ", ".join(splits) or "none"
        raise DataUnavailable(f"{spec.keyword}: {place} has no split {name}; it has {found}")
    table, where = splits[name], f"split {name} of {place}"
    for column in _columns(spec):
        if column not in table.column_names:
            raise DataUnavailable(
                f"{spec.keyword}: {where} has no column {column!r}; "
                f"it has {', '.join(table.column_names)}"
            )
    labels, ids = _labels(spec, table, where, names), _ids(spec, table)
    if isinstance(spec.source, HubSource) and spec.source.keeps_first_classes:
        kept = np.flatnonzero(labels < spec.num_classes)
        table, labels = table.select(kept), labels[kept]
        ids = None if ids is None else ids[kept]
    return Part(table, labels, ids, where)


def _columns(spec: DatasetSpec) -> list[str]:
    own = [spec.image_column] if spec.modality == "image" else list(spec.text_columns)
    others = (spec.label_column, spec.natural_id_column)
    return [*own, *(column for column in others if column is not None)]


def _ids(spec: DatasetSpec, table: Dataset) -> Ids | None:
    if spec.natural_id_column is None:
        return None
    column = table.with_format("arrow")[spec.natural_id_column][:]
    return np.array(column.cast(pa.string()).to_pylist(), dtype=np.str_)


def _labels(spec: DatasetSpec, table: Dataset, where: str, names: tuple[str, ...]) -> Labels:
    column = spec.label_column
    if column is None:
        return np.zeros(len(table), dtype=np.int64)
    is_named = _holds_strings(table, column) or spec.is_detected
    if is_named and not isinstance(table.features[column], ClassLabel):
        return _named_labels(spec, table, where, names)
    labels = np.asarray(table.with_format("numpy")[column][:])
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataUnavailable(
            f"{spec.keyword}: column {column!r} in {where} holds {table.features[column]}, "
            "not one class a sample"
        )
    return labels.astype(np.int64)


def _named_labels(spec: DatasetSpec, table: Dataset, where: str, names: tuple[str, ...]) -> Labels:
    numbers = {name: number for number, name in enumerate(names)}
    values = [str(value) for value in table[spec.label_column][:]]
    unknown = set(values) - numbers.keys()
    if isinstance(spec.source, HubSource) and spec.source.keeps_first_classes:
        numbers |= dict.fromkeys(unknown, spec.num_classes)
    elif unknown:
        known = ", ".join(names[:20])
        raise DataUnavailable(
            f"{spec.keyword}: {where} has the label {sorted(unknown)[0][:60]!r}, "
            f"which is none of the classes ({known})"
        )
    return np.array([numbers[value] for value in values], dtype=np.int64)


def _holds_strings(table: Dataset, column: str) -> bool:
    feature = table.features.get(column)
    return getattr(feature, "dtype", None) in ("string", "large_string")


def _text_column(spec: DatasetSpec, part: Part) -> Texts:
    """Return the texts of a split as Arrow holds them, several columns joined by a space."""
    table = part.table.select_columns(list(spec.text_columns)).with_format("arrow")[:]
    columns = []
    for name in spec.text_columns:
        column = table[name]
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise DataUnavailable(
                f"{spec.keyword}: column {name!r} in {part.where} holds {column.type}, not texts"
            )
        columns.append(column.cast(pa.large_string()))
    if len(columns) == 1:
        return columns[0]
    # Where one column has no text, the other stands alone.
    return pc.binary_join_element_wise(
        *columns, pa.scalar(" ", pa.large_string()), null_handling="skip"
    )
