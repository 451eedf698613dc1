from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from datasets_app.catalog.availability import is_available
from datasets_app.catalog.loading import load
from datasets_app.catalog.spec import DatasetSpec, HubSource
from tests.datasets_app.catalog.loads import image_data, refused
from tests.datasets_app.catalog.made import pictures, table

TRAIN_LABELS = [0, 1, 2] * 4
TEST_LABELS = [2, 1, 0, 0, 1, 2]


@pytest.fixture
def parquet(tmp_path: Path, tiny_hub: DatasetSpec) -> Path:
    """A local copy in parquet files: the training split in two, as the hub names them."""
    folder = tmp_path / tiny_hub.keyword
    folder.mkdir()
    train = table(pictures(12, 1), TRAIN_LABELS)
    train.select(range(7)).to_parquet(folder / "train-00000-of-00002.parquet")
    train.select(range(7, 12)).to_parquet(folder / "train-00001-of-00002.parquet")
    table(pictures(6, 2), TEST_LABELS).to_parquet(folder / "test-00000-of-00001.parquet")
    return folder


def channels_first(seed: int, count: int) -> np.ndarray:
    pixels = np.stack([np.asarray(picture) for picture in pictures(count, seed)])
    return np.moveaxis(pixels, 3, 1)


def test_parquet_files_are_read_in_order(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    data = image_data(tiny_hub, tmp_path)
    assert np.array_equal(data.train_images, channels_first(1, 12))
    assert data.train_labels.tolist() == TRAIN_LABELS
    assert np.array_equal(data.test_images, channels_first(2, 6))
    assert data.test_labels.tolist() == TEST_LABELS


def test_a_replaced_local_copy_is_seen(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    load(tiny_hub, tmp_path)
    table(pictures(6, 3), TEST_LABELS).to_parquet(parquet / "test-00000-of-00001.parquet")
    assert np.array_equal(image_data(tiny_hub, tmp_path).test_images, channels_first(3, 6))


def test_what_save_to_disk_wrote_is_read(tiny_hub: DatasetSpec, tmp_path: Path) -> None:
    splits = {
        "train": table(pictures(12, 1), TRAIN_LABELS),
        "test": table(pictures(6, 2), TEST_LABELS),
    }
    DatasetDict(splits).save_to_disk(tmp_path / tiny_hub.keyword)
    data = image_data(tiny_hub, tmp_path)
    assert np.array_equal(data.train_images, channels_first(1, 12))
    assert data.test_labels.tolist() == TEST_LABELS


def test_a_set_without_a_test_split_is_held_out_and_only_its_classes_are_kept(
    grey_hub: DatasetSpec, tmp_path: Path
) -> None:
    images = pictures(30, 4, mode="L")
    table(images, [0, 1, 2] * 10).save_to_disk(tmp_path / grey_hub.keyword)
    data = image_data(grey_hub, tmp_path)
    assert data.test_labels.tolist() == [0, 1, 0, 1]
    expected = np.stack([np.asarray(images[place]) for place in (12, 13, 27, 28)])
    assert np.array_equal(data.test_images[:, 0], expected)
    assert data.train_labels.tolist() == [0, 1] * 8


def test_a_local_copy_counts_as_available(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    assert is_available(tiny_hub, tmp_path)
    assert not is_available(replace(tiny_hub, keyword="elsewhere"), tmp_path)


def test_a_wrong_column_is_named_with_those_there_are(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    message = refused(replace(tiny_hub, label_column="character"), tmp_path)
    assert "split train of INTELLIFL_DATA_DIR/tinyhub has no column 'character'" in message
    assert "it has image, label, writer" in message


def test_a_missing_split_is_named_with_those_there_are(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    (parquet / "test-00000-of-00001.parquet").unlink()
    assert "has no split test; it has train" in refused(tiny_hub, tmp_path)


def test_a_label_outside_the_classes_is_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    message = refused(replace(tiny_hub, num_classes=2), tmp_path)
    assert "labels from 0 to 2, allowed are 0 to 1" in message


def test_labels_that_are_no_numbers_are_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    message = refused(replace(tiny_hub, label_column="image"), tmp_path)
    assert "column 'image' in split train" in message
    assert "not one class a sample" in message


def test_names_that_are_not_as_many_as_the_classes_are_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    message = refused(replace(tiny_hub, label_column="writer"), tmp_path)
    assert "holds 1 different labels, expected 3" in message


def test_images_of_another_size_are_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    message = refused(replace(tiny_hub, shape=(3, 5, 4)), tmp_path)
    assert "sample 0 in split train" in message
    assert "has 5x4 pixels, expected 4x5" in message


def test_a_column_without_images_is_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    assert "not images" in refused(replace(tiny_hub, image_column="label"), tmp_path)


def test_bytes_that_are_no_image_are_refused(tiny_hub: DatasetSpec, tmp_path: Path) -> None:
    folder = tmp_path / tiny_hub.keyword
    folder.mkdir()
    broken = Dataset.from_dict({"image": [{"bytes": b"no image", "path": None}], "label": [0]})
    for name in ("train", "test"):
        broken.to_parquet(folder / f"{name}.parquet")
    assert "sample 0 in split train" in refused(tiny_hub, tmp_path)


def test_a_file_that_is_no_parquet_is_refused(
    tiny_hub: DatasetSpec, parquet: Path, tmp_path: Path
) -> None:
    (parquet / "train-00000-of-00002.parquet").write_bytes(b"PAR1 not really")
    assert "INTELLIFL_DATA_DIR/tinyhub cannot be read" in refused(tiny_hub, tmp_path)


def test_grey_images_become_colour_where_the_dataset_is_colour(
    tiny_hub: DatasetSpec, tmp_path: Path
) -> None:
    grey = pictures(15, 5, mode="L")
    table(grey, [0, 1, 2] * 5).save_to_disk(tmp_path / tiny_hub.keyword)
    spec = replace(tiny_hub, source=HubSource("nobody/tiny-images", test_split=None))
    data = image_data(spec, tmp_path)
    expected = np.asarray(grey[12])
    assert all(np.array_equal(data.test_images[0, channel], expected) for channel in range(3))
