"""Catalogued images in the formats that people have them in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image, Value
from PIL import Image as PILImage

from datasets_app.catalog import CATALOG
from datasets_app.catalog.availability import is_available, where
from datasets_app.catalog.labels import held_out_samples
from datasets_app.catalog.spec import DatasetSpec, HubSource
from tests.datasets_app.catalog.loads import image_data, refused

RNG = np.random.default_rng(5)
NUM_CHARACTERS = 62


def femnist(folder: Path, count: int) -> tuple[np.ndarray, list[int], list[str]]:
    """Write a parquet file of the shape of flwrlabs/femnist; return its pixels, labels, writers."""
    pixels = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    labels = [int(label) for label in RNG.permutation(np.arange(count) % NUM_CHARACTERS)]
    writers = [f"f{number % 9:04}_{number % 9:02}" for number in range(count)]
    names = [
        chr(code) for first, last in ("09", "AZ", "az") for code in range(ord(first), ord(last) + 1)
    ]
    features = Features(
        {
            "image": Image(),
            "writer_id": Value("string"),
            "hsf_id": Value("int64"),
            "character": ClassLabel(names=names),
        }
    )
    columns = {
        "image": [PILImage.fromarray(picture) for picture in pixels],
        "writer_id": writers,
        "hsf_id": [0] * count,
        "character": labels,
    }
    folder.mkdir()
    table = Dataset.from_dict(columns, features=features)
    table.to_parquet(folder / "train-00000-of-00001.parquet")
    return pixels, labels, writers


def test_femnist_keeps_the_writer_of_each_training_image(tmp_path: Path) -> None:
    pixels, labels, writers = femnist(tmp_path / "femnist_niid", 400)
    data = image_data(CATALOG["femnist_niid"], tmp_path)
    kept = np.flatnonzero(~held_out_samples(np.array(labels)))
    assert data.train_ids is not None
    assert data.train_ids.tolist() == [writers[sample] for sample in kept]
    assert data.train_labels.tolist() == [labels[sample] for sample in kept]
    assert np.array_equal(data.train_images[:, 0], pixels[kept])
    assert len(data.class_names) == NUM_CHARACTERS
    assert (data.class_names[10], data.class_names[36]) == ("A", "a")


def test_femnist_iid_keeps_the_ten_digits(tmp_path: Path) -> None:
    pixels, labels, writers = femnist(tmp_path / "femnist_iid", 400)
    data = image_data(CATALOG["femnist_iid"], tmp_path)
    digits = np.flatnonzero(np.array(labels) < 10)
    kept = digits[~held_out_samples(np.array(labels)[digits])]
    assert np.array_equal(data.train_images[:, 0], pixels[kept])
    assert len(data.train_labels) + len(data.test_labels) == len(digits)
    assert data.class_names == tuple("0123456789")
    assert data.train_ids is not None
    assert data.train_ids.tolist() == [writers[sample] for sample in kept]


def medmnist_file(path: Path, shape: tuple[int, ...], classes: int) -> dict[str, np.ndarray]:
    """Write arrays as medmnist.com gives them: channels last, labels (n, 1)."""
    arrays = {}
    for split, count in (("train", 20), ("val", 5), ("test", 10)):
        arrays[f"{split}_images"] = RNG.integers(0, 256, (count, *shape), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % classes).reshape(-1, 1).astype(np.uint8)
    path.parent.mkdir()
    np.savez(path, allow_pickle=False, **arrays)
    return arrays


@pytest.mark.parametrize(
    ("keyword", "shape"), [("bloodmnist", (28, 28, 3)), ("octmnist", (28, 28))]
)
def test_the_file_of_a_medmnist_set_is_read(
    keyword: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    spec = CATALOG[keyword]
    arrays = medmnist_file(tmp_path / keyword / f"{keyword}.npz", shape, spec.num_classes)
    data = image_data(spec, tmp_path)
    for split, images in (("train", data.train_images), ("test", data.test_images)):
        expected = arrays[f"{split}_images"].reshape(len(images), 28, 28, -1)
        assert np.array_equal(np.moveaxis(images, 1, 3), expected)
    assert data.test_labels.tolist() == arrays["test_labels"][:, 0].tolist()
    assert where(spec, tmp_path) == "local copy"


def test_the_hub_layout_of_a_medmnist_set_is_read(tmp_path: Path) -> None:
    """Parquet files named as the hub converts them, with a validation split that is not used."""
    folder = tmp_path / "breastmnist"
    folder.mkdir()
    features = Features(
        {"image": Image(), "label": ClassLabel(names=["malignant", "normal, benign"])}
    )
    pixels = {}
    for split, count in (("train", 10), ("validation", 4), ("test", 6)):
        pixels[split] = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        columns = {
            "image": [PILImage.fromarray(picture) for picture in pixels[split]],
            "label": [n % 2 for n in range(count)],
        }
        table = Dataset.from_dict(columns, features=features)
        table.to_parquet(folder / f"{split}-00000-of-00001.parquet")
    data = image_data(CATALOG["breastmnist"], tmp_path)
    assert np.array_equal(data.train_images[:, 0], pixels["train"])
    assert np.array_equal(data.test_images[:, 0], pixels["test"])
    assert data.class_names == ("malignant", "normal, benign")


@pytest.fixture
def array_spec() -> DatasetSpec:
    source = HubSource("nobody/arrays")
    return DatasetSpec("arrays", "Arrays", source, "image", 3, (3, 4, 5), 12, 6, "none")


def save(tmp_path: Path, **arrays: np.ndarray) -> None:
    (tmp_path / "arrays").mkdir()
    np.savez(tmp_path / "arrays" / "mine.npz", allow_pickle=True, **arrays)


IMAGES = RNG.integers(0, 256, (10, 3, 4, 5), dtype=np.uint8)


def test_arrays_by_the_names_of_keras_are_held_out_with_their_owners(
    array_spec: DatasetSpec, tmp_path: Path
) -> None:
    save(tmp_path, x_train=IMAGES, y_train=np.arange(10) % 2, train_ids=np.arange(10) // 2)
    data = image_data(array_spec, tmp_path)
    assert np.array_equal(data.test_images, IMAGES[8:])
    assert data.train_ids is not None
    assert data.train_ids.tolist() == ["0", "0", "1", "1", "2", "2", "3", "3"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": IMAGES}, "has no train_images and train_labels"),
        (
            {"train_images": IMAGES / 255, "train_labels": np.zeros(10, dtype=int)},
            "train_images of INTELLIFL_DATA_DIR/arrays/mine.npz holds float64 values, not whole",
        ),
        (
            {"train_images": IMAGES.astype(int) * 2, "train_labels": np.zeros(10, dtype=int)},
            "not whole numbers from 0 to 255",
        ),
        (
            {"train_images": IMAGES.reshape(10, 60), "train_labels": np.zeros(10, dtype=int)},
            "has the shape (10, 60), not (samples, height, width)",
        ),
        (
            {"train_images": IMAGES, "train_labels": np.zeros(10)},
            "train_labels of INTELLIFL_DATA_DIR/arrays/mine.npz holds float64 (10,), not one class",
        ),
        (
            {"train_images": IMAGES, "train_labels": np.zeros(9, dtype=int)},
            "has 10 train_images, but 9 train_labels",
        ),
        (
            {"train_images": np.array([IMAGES[0], IMAGES[0, 0]], dtype=object)},
            "images of different sizes, are not read",
        ),
    ],
)
def test_arrays_that_are_no_dataset_are_refused(
    arrays: dict[str, np.ndarray], words: str, array_spec: DatasetSpec, tmp_path: Path
) -> None:
    if arrays.get("train_images", IMAGES).dtype == object:
        arrays = {**arrays, "train_labels": np.zeros(2, dtype=int)}
    save(tmp_path, **arrays)
    assert words in refused(array_spec, tmp_path)


def test_a_file_that_is_no_npz_is_refused(array_spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / "mine.npz").write_bytes(b"PK\x03\x04 cut off")
    assert "INTELLIFL_DATA_DIR/arrays/mine.npz cannot be read" in refused(array_spec, tmp_path)


def picture(path: Path, size: tuple[int, int], value: int, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value, 0, 0)
    PILImage.new(mode, size, colour).save(path)


def test_class_folders_are_read_and_keep_a_common_size(tmp_path: Path) -> None:
    for number in range(10):
        picture(tmp_path / "its" / "car" / f"{number}.png", (20, 12), number)
        picture(tmp_path / "its" / "bus" / f"{number}.png", (20, 12), 100 + number)
    (tmp_path / "its" / "car" / "notes.txt").write_text("no picture")
    data = image_data(CATALOG["its"], tmp_path)
    assert data.class_names == ("bus", "car")
    assert data.train_images.shape == (16, 1, 12, 20)
    assert data.test_images[:, 0, 0, 0].tolist() == [104, 109, 4, 9]
    assert data.test_labels.tolist() == [0, 0, 1, 1]
    assert is_available(CATALOG["its"], tmp_path)


def test_folders_of_splits_are_kept_apart(tmp_path: Path) -> None:
    for split, values in (("train", (1, 2)), ("test", (3,)), ("val", (4,))):
        for value in values:
            picture(tmp_path / "flair" / split / "a" / f"{value}.png", (8, 8), value)
            picture(tmp_path / "flair" / split / "b" / f"{value}.png", (8, 8), value + 10)
    data = image_data(CATALOG["flair"], tmp_path)
    assert data.train_images[:, 0, 0, 0].tolist() == [1, 2, 11, 12]
    assert data.test_images[:, 0, 0, 0].tolist() == [3, 13]


def test_photographs_of_different_sizes_are_scaled_and_cut_to_64x64(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / "lung_photos" / "well" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        # The outer quarters are cut away; what is left is blue.
        wide = PILImage.new("RGB", (256, 128), (255, 0, 0))
        wide.paste((0, 0, 255), (64, 0, 192, 128))
        wide.save(path, quality=95)
    picture(tmp_path / "lung_photos" / "ill" / "grey.png", (300, 100), 128)
    data = image_data(CATALOG["lung_photos"], tmp_path)
    images = np.concatenate([data.train_images, data.test_images])
    assert images.shape == (6, 3, 64, 64)
    blue = images[data.class_names.index("well")][:, 8:56, 8:56].mean(axis=(1, 2))
    assert np.allclose(blue, (0, 0, 255), atol=12)


def test_without_pictures_the_error_tells_how_to_lay_them(tmp_path: Path) -> None:
    message = refused(CATALOG["its"], tmp_path)
    assert "its is not on this machine and cannot be fetched" in message
    assert "INTELLIFL_DATA_DIR/its/" in message
    assert "<class>/" in message


def test_a_picture_with_sixteen_bits_is_refused(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / "its" / "a" / f"{number}.png", (8, 8), 1)
    deep = PILImage.fromarray(np.full((8, 8), 40_000, dtype=np.uint16))
    deep.save(tmp_path / "its" / "a" / "deep.png")
    assert "more than 8 bits a pixel" in refused(CATALOG["its"], tmp_path)


def test_a_file_that_only_has_the_name_of_a_picture_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "its" / "a" / "good.png", (8, 8), 1)
    (tmp_path / "its" / "a" / "bad.png").write_text("no picture")
    assert "no readable image" in refused(CATALOG["its"], tmp_path)


def test_grey_arrays_fit_a_colour_dataset(array_spec: DatasetSpec, tmp_path: Path) -> None:
    save(tmp_path, train_images=IMAGES[:, 0], train_labels=np.zeros(10, dtype=int))
    message = refused(array_spec, tmp_path)
    assert "expected (n, *(3, 4, 5))" in message
    grey = replace(array_spec, shape=(1, 4, 5))
    assert np.array_equal(image_data(grey, tmp_path).test_images[:, 0], IMAGES[[4, 9], 0])
