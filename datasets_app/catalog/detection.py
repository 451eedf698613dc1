"""What a table of samples holds: its splits, its columns, its classes and the size of its images.

The rules, in short: the split "train" (or the only one) is trained on and "test", else a labelled
"validation" tested on; a picture is an Image column or one of nested numbers; a label is a
ClassLabel, else a column of a usual name that holds text, whole numbers or booleans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from datasets import ClassLabel, Dataset, Value
from datasets import Image as ImageFeature

from datasets_app.catalog import pictures
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.spec import DatasetSpec, HubSource

TRAIN = ("train", "training")
TEST = ("test", "testing", "validation", "valid", "val", "dev")
LABELS = ("label", "labels", "class", "category", "target", "fine_label", "character", "y")
TEXTS = ("text", "sentence", "content", "document", "abstract", "question", "review")
OWNERS = ("writer_id", "client_id", "user_id", "speaker_id", "author_id", "patient_id")
MOST_CLASSES = 10_000
UNLABELLED = -1


@dataclass(frozen=True)
class Place:
    """What is looked at, for the sentences of errors: the dataset and where it lies."""

    keyword: str
    text: str

    def unusable(self, reason: str) -> DataUnavailable:
        return DataUnavailable(f"{self.keyword}: {self.text} {reason}")


def describe(spec: DatasetSpec, splits: Mapping[str, Dataset], where: str) -> DatasetSpec:
    """Return `spec` with what the splits hold; raise DataUnavailable saying what is missing."""
    place = Place(spec.keyword, where)
    train = train_split(splits, place)
    table = splits[train]
    if spec.modality == "image":
        spec = replace(spec, image_column=spec.image_column or image_column(table, place))
    else:
        spec = replace(spec, text_columns=spec.text_columns or (text_column(table, place),))
    label = spec.label_column
    if label == "":
        taken = {spec.image_column, *spec.text_columns}
        label = label_column(table, place, taken)
    test = test_split(splits, label)
    used = [splits[name] for name in (train, test) if name is not None]
    name, config = spec.keyword, None
    if isinstance(spec.source, HubSource):
        name, config = spec.source.name, spec.source.config
    names = () if label is None else class_names(used, label, place)
    described = replace(
        spec,
        source=HubSource(name, config, train, test),
        label_column=label,
        natural_id_column=next((name for name in OWNERS if name in table.column_names), None),
        class_names=names,
        num_classes=len(names),
    )
    if spec.modality == "image":
        shape = pictures.common_shape(used, spec.image_column, spec.keyword, where)
        described = replace(described, shape=shape)
    return described


def train_split(splits: Mapping[str, Dataset], place: Place) -> str:
    found = next((name for name in TRAIN if name in splits), None)
    if found is None and len(splits) == 1:
        (found,) = splits
    if found is None:
        raise place.unusable(f"has no split train; it has {', '.join(splits) or 'none'}")
    if not len(splits[found]):
        raise place.unusable(f"has no sample in its split {found}")
    return found


def test_split(splits: Mapping[str, Dataset], label: str | None) -> str | None:
    """Return the first split for testing whose samples have labels, or None."""
    for name in TEST:
        table = splits.get(name)
        if table is not None and len(table) and not _lacks_labels(table, label):
            return name
    return None


def _lacks_labels(table: Dataset, label: str | None) -> bool:
    if label is None:
        return False
    return label not in table.column_names or table.unique(label) in ([UNLABELLED], [None])


def image_column(table: Dataset, place: Place) -> str:
    found: list[str] = [
        name for name, feature in table.features.items() if isinstance(feature, ImageFeature)
    ]
    found += [name for name in table.column_names if name not in found and _is_picture(table, name)]
    if not found:
        raise place.unusable(
            f"has no column of images; it has {_columns(table)}. Name one in image_column, or set "
            '"model_type": "transformer" to train on its texts'
        )
    return found[0]


def _is_picture(table: Dataset, name: str) -> bool:
    return pictures.is_array(table.features[name]) or pictures.is_encoded(table.features[name])


def text_column(table: Dataset, place: Place) -> str:
    texts = [name for name in table.column_names if _is_string(table, name)]
    usual = [name for name in TEXTS if name in texts]
    # Without a usual name it is the column whose texts are longest in the first samples.
    others = sorted(set(texts) - set(LABELS), key=lambda name: -_length(table, name))
    if not usual and not others:
        raise place.unusable(
            f"has no column of texts; it has {_columns(table)}. Name one in text_column"
        )
    return (usual or others)[0]


def _length(table: Dataset, name: str) -> int:
    return sum(len(text or "") for text in table[:100][name])


def label_column(table: Dataset, place: Place, taken: set[str]) -> str:
    free: list[str] = [name for name in table.column_names if name not in taken]
    labels = [name for name in free if isinstance(table.features[name], ClassLabel)]
    usual = [name for name in LABELS if name in free and _is_label(table, name)]
    found = [*(name for name in usual if name in labels), *labels, *usual]
    if not found:
        raise place.unusable(
            f"has no column of labels; it has {_columns(table)}. Name one in label_column"
        )
    return found[0]


def _is_label(table: Dataset, name: str) -> bool:
    feature = table.features[name]
    return isinstance(feature, ClassLabel) or (
        isinstance(feature, Value)
        and (feature.dtype in ("string", "large_string", "bool") or "int" in feature.dtype)
    )


def class_names(tables: list[Dataset], column: str, place: Place) -> tuple[str, ...]:
    """Return the names of the classes: those of a ClassLabel, else the sorted distinct values."""
    for table in tables:
        if column not in table.column_names:
            raise place.unusable(f"has no column {column!r}; it has {_columns(table)}")
    feature = tables[0].features[column]
    if isinstance(feature, ClassLabel):
        return tuple(feature.names)
    if not _is_label(tables[0], column):
        raise place.unusable(
            f"holds {feature} in column {column!r}, not one class a sample; "
            "name another in label_column"
        )
    values = {value for table in tables for value in table.unique(column)}
    if None in values:
        raise place.unusable(f"has samples without a label in column {column!r}")
    if len(values) > MOST_CLASSES:
        raise place.unusable(
            f"has {len(values):,} different labels in column {column!r}, at most "
            f"{MOST_CLASSES:,} are allowed; name another in label_column"
        )
    return tuple(str(value) for value in sorted(values))


def _is_string(table: Dataset, name: str) -> bool:
    feature = table.features[name]
    return isinstance(feature, Value) and feature.dtype in ("string", "large_string")


def _columns(table: Dataset) -> str:
    return ", ".join(table.column_names) or "none"
