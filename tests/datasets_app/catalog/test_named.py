"""Datasets outside the catalogue: what is found in them, and every reason to refuse them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Array2D, ClassLabel, Dataset, DatasetDict, Features, Image, List, Value
from PIL import Image as PILImage

from datasets_app.catalog.checks import complete
from datasets_app.catalog.loading import DataUnavailable, ImageData, TextData, load
from datasets_app.catalog.named import named, refusal
from datasets_app.catalog.spec import DatasetSpec
from tests.datasets_app.catalog.loads import image_data, refused, text_data

RNG = np.random.default_rng(8)
PICTURES = RNG.integers(0, 256, (10, 6, 7), dtype=np.uint8)
IMAGES = [PILImage.fromarray(picture) for picture in PICTURES]
LABEL = {"label": Value("int64")}
IMAGE = {"image": Image()}


def save(tmp_path: Path, features: dict[str, Any] | None = None, **columns: Any) -> None:
    """Save a training split as INTELLIFL_DATA_DIR/mine."""
    made = Dataset.from_dict(columns, features=Features(features) if features else None)
    made.save_to_disk(tmp_path / "mine")


def image_spec(**choices: Any) -> DatasetSpec:
    return named("mine", modality="image", **choices)


def images(tmp_path: Path, **choices: Any) -> ImageData:
    return image_data(image_spec(**choices), tmp_path)


def texts(tmp_path: Path, **choices: Any) -> TextData:
    return text_data(named("mine", modality="text", **choices), tmp_path)


def test_an_image_column_and_a_class_label_are_found(tmp_path: Path) -> None:
    features = {
        "id": Value("int64"),
        "photo": Image(),
        "kind": ClassLabel(names=["cat", "dog"]),
    }
    save(tmp_path, features, id=list(range(10)), photo=IMAGES, kind=[0, 1] * 5)
    data = images(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert np.array_equal(data.train_images[:, 0], PICTURES[:8])
    assert np.array_equal(data.test_images[:, 0], PICTURES[8:])
    found = complete(image_spec(), data)
    assert (found.shape, found.num_classes) == ((1, 6, 7), 2)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["zebra", "ant"] * 5, ("ant", "zebra")),
        ([7, -3] * 5, ("-3", "7")),
        ([True, False] * 5, ("False", "True")),
        ([10, 9] * 5, ("9", "10")),
    ],
)
def test_other_labels_are_mapped_to_their_sorted_values(
    values: list[Any], names: tuple[str, ...], tmp_path: Path
) -> None:
    save(tmp_path, {"image": Image(), "label": Value(_kind(values[0]))}, image=IMAGES, label=values)
    data = images(tmp_path)
    assert data.class_names == names
    assert [names[label] for label in data.train_labels] == [str(value) for value in values[:8]]


def _kind(value: Any) -> str:
    return {str: "string", int: "int64", bool: "bool"}[type(value)]


def test_columns_that_are_named_are_taken(tmp_path: Path) -> None:
    other = [PILImage.fromarray(255 - picture) for picture in PICTURES]
    features = {
        "left": Image(),
        "right": Image(),
        "label": ClassLabel(names=["a", "b"]),
        "place": Value("string"),
    }
    columns = {"left": IMAGES, "right": other, "label": [0] * 10, "place": ["x", "y"] * 5}
    save(tmp_path, features, **columns)
    data = images(tmp_path, image_column="right", label_column="place")
    assert np.array_equal(data.test_images[:, 0], 255 - PICTURES[8:])
    assert data.class_names == ("x", "y")


def test_a_column_that_says_whose_a_sample_is_gives_natural_ids(tmp_path: Path) -> None:
    columns = {"image": IMAGES, "label": [0] * 10, "user_id": [n // 2 for n in range(10)]}
    save(tmp_path, IMAGE | LABEL | {"user_id": Value("int64")}, **columns)
    ids = images(tmp_path).train_ids
    assert ids is not None
    assert ids.tolist() == [str(n // 2) for n in range(10) if n % 5 != 4]


def test_without_such_a_column_there_are_no_natural_ids(tmp_path: Path) -> None:
    save(tmp_path, text=["a"] * 10, label=[0] * 10)
    assert texts(tmp_path).train_ids is None


@pytest.mark.parametrize("nested", [True, False])
def test_columns_of_numbers_are_images(nested: bool, tmp_path: Path) -> None:
    kind = List(List(Value("uint8"))) if nested else Array2D((6, 7), "uint8")
    features = {"pixels": kind, "label": Value("int64")}
    save(tmp_path, features, pixels=PICTURES.tolist(), label=[0, 1] * 5)
    assert np.array_equal(images(tmp_path).train_images[:, 0], PICTURES[:8])


def test_one_colour_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    mixed = list(IMAGES)
    mixed[4] = PILImage.new("RGB", (7, 6), (1, 2, 3))
    save(tmp_path, {"image": Image(), "label": Value("int64")}, image=mixed, label=[0] * 10)
    data = images(tmp_path)
    assert data.train_images.shape == (8, 3, 6, 7)
    assert np.array_equal(data.train_images[0, 2], PICTURES[0])
    assert data.test_images[0, :, 0, 0].tolist() == [1, 2, 3]


def splits(**labels: list[int]) -> DatasetDict:
    features = Features({"image": Image(), "label": Value("int64")})
    return DatasetDict(
        {
            name: Dataset.from_dict(
                {"image": IMAGES[: len(given)], "label": given}, features=features
            )
            for name, given in labels.items()
        }
    )


def test_a_test_split_without_labels_gives_way_to_the_validation_split(tmp_path: Path) -> None:
    splits(train=[0, 1, 2], test=[-1, -1], validation=[2, 1]).save_to_disk(tmp_path / "mine")
    data = images(tmp_path)
    assert data.test_labels.tolist() == [2, 1]
    assert data.class_names == ("0", "1", "2")


def test_without_a_labelled_split_for_testing_samples_are_held_out(tmp_path: Path) -> None:
    splits(train=[0] * 10, test=[-1, -1]).save_to_disk(tmp_path / "mine")
    data = images(tmp_path)
    assert (len(data.train_labels), len(data.test_labels)) == (8, 2)


def test_a_text_column_and_labels_are_found(tmp_path: Path) -> None:
    save(tmp_path, title=["t"] * 10, sentence=["some words"] * 10, label=["no", "yes"] * 5)
    data = texts(tmp_path)
    assert data.train_texts.to_pylist() == ["some words"] * 8
    assert data.class_names == ("no", "yes")


def test_without_a_usual_name_the_longest_texts_are_taken(tmp_path: Path) -> None:
    save(tmp_path, title=["t"] * 10, body=["some words"] * 10, label=[0, 1] * 5)
    assert texts(tmp_path).test_texts.to_pylist() == ["some words"] * 2


def test_texts_without_labels_are_taken_where_none_are_needed(tmp_path: Path) -> None:
    save(tmp_path, text=[f"text {n}" for n in range(10)])
    data = texts(tmp_path, needs_label=False)
    assert data.class_names == ()
    assert data.test_texts.to_pylist() == ["text 4", "text 9"]


def test_a_folder_below_the_data_folder_is_taken_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    save(tmp_path, {"image": Image(), "label": Value("int64")}, image=IMAGES, label=[0] * 10)
    (tmp_path / "mine").rename(tmp_path / "deep" / "er" / "still")
    for name in ("deep/er/still", "./deep/er/still", str(tmp_path / "deep" / "er" / "still")):
        assert len(load(named(name, modality="image"), tmp_path).train_labels) == 8


@pytest.mark.parametrize(
    ("features", "columns", "words"),
    [
        (
            IMAGE | {"score": Value("float64")},
            {"image": IMAGES, "score": [0.5] * 10},
            "INTELLIFL_DATA_DIR/mine has no column of labels; it has image, score. "
            "Name one in label_column",
        ),
        (
            LABEL | {"text": Value("string")},
            {"text": ["a"] * 10, "label": [0] * 10},
            "has no column of images; it has text, label. Name one in image_column, or set",
        ),
        (
            IMAGE | LABEL,
            {"image": IMAGES, "label": [*[0] * 9, None]},
            "has samples without a label in column 'label'",
        ),
        (
            {"image": List(List(Value("uint8")))} | LABEL,
            {"image": [[[1, 2], [3, 4]], [[1, 2, 3]]], "label": [0, 1]},
            "holds arrays of different sizes (2x2, 3x1)",
        ),
        (
            {"image": Array2D((2, 2), "float32")} | LABEL,
            {"image": [[[0.5, 0.5], [0.5, 0.5]]], "label": [0]},
            "holds float32 values, not whole numbers from 0 to 255",
        ),
        (
            {"image": Array2D((2, 2), "int32")} | LABEL,
            {"image": [[[256, 0], [0, 0]]], "label": [0]},
            "not whole numbers from 0 to 255",
        ),
    ],
    ids=["no label", "no image", "missing labels", "mixed sizes", "floats", "too bright"],
)
def test_what_cannot_be_trained_on_is_refused(
    features: dict[str, Any], columns: dict[str, Any], words: str, tmp_path: Path
) -> None:
    save(tmp_path, features, **columns)
    assert words in refused(image_spec(), tmp_path)


def test_a_split_without_samples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.csv").write_text("text,label\n")
    message = refused(named("mine", modality="text", text_column="text"), tmp_path)
    assert "has no sample in its split train" in message


def test_a_named_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    save(tmp_path, IMAGE | LABEL, image=IMAGES, label=[0] * 10)
    assert "no column 'kind'; it has image, label" in refused(
        image_spec(label_column="kind"), tmp_path
    )
    assert "no column 'photo'; it has image, label" in refused(
        image_spec(image_column="photo"), tmp_path
    )


def test_a_named_column_that_holds_no_classes_is_refused(tmp_path: Path) -> None:
    features = IMAGE | {"score": Value("float64")}
    save(tmp_path, features, image=IMAGES, score=[0.5] * 10)
    message = refused(image_spec(label_column="score"), tmp_path)
    assert "in column 'score', not one class a sample; name another in label_column" in message


def test_labels_that_are_all_different_words_are_refused(tmp_path: Path) -> None:
    many = [f"word {n}" for n in range(10_001)]
    save(tmp_path, text=many, label=many)
    assert "has 10,001 different labels in column 'label', at most 10,000 are allowed" in refused(
        named("mine", modality="text"), tmp_path
    )


def test_no_training_split_is_refused_with_those_there_are(tmp_path: Path) -> None:
    splits(first=[0, 1], second=[0]).save_to_disk(tmp_path / "mine")
    assert "has no split train; it has first, second" in refused(image_spec(), tmp_path)


def test_no_text_is_refused(tmp_path: Path) -> None:
    save(tmp_path, value=[1.5], label=[0])
    assert "has no column of texts; it has value, label" in refused(
        named("mine", modality="text"), tmp_path
    )


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    message = refused(named("./a/b", modality="image"), tmp_path)
    assert "a/b is not on this machine and cannot be fetched" in message
    assert "INTELLIFL_DATA_DIR/a/b/" in message


def test_a_path_outside_the_data_folder_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "data2"
    outside.mkdir()
    for path in (outside, inside, tmp_path):
        with pytest.raises(DataUnavailable, match="lies outside INTELLIFL_DATA_DIR"):
            load(named(str(path), modality="image"), inside)


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "../secret", "a/../../b", "~/x", "a\\b", "-x", "a--b", "a/b\n", "x" * 400],
)
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    assert refusal(name)
    with pytest.raises(DataUnavailable):
        named(name, modality="image")


@pytest.mark.parametrize("name", ["ylecun/mnist", "imdb", "a.b/c_d-e", "./x", "/srv/x", "a/b/c"])
def test_names_of_the_hub_and_paths_are_taken(name: str) -> None:
    assert refusal(name) is None


def test_what_is_fetched_with_other_columns_is_stored_apart() -> None:
    stored = {
        named("a/b", modality="image").stored_as,
        named("a/b", modality="image", label_column="x").stored_as,
        named("a/b", modality="text").stored_as,
        named("a/b", modality="image", config="y").stored_as,
    }
    assert len(stored) == 4
    assert json.dumps(sorted(stored)).count("hub-a--b-") == 4
