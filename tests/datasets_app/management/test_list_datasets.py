from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from datasets_app.catalog import CATALOG
from datasets_app.catalog.encoders import ENCODERS


@pytest.fixture
def data_dir(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return tmp_path / "data"


def listed(*arguments: str) -> str:
    out = StringIO()
    call_command("list_datasets", *arguments, stdout=out)
    return out.getvalue()


def test_the_table_has_a_line_for_every_dataset(data_dir: Path) -> None:
    datasets, encoders = listed().split("\n\n")
    heading, *lines = datasets.splitlines()
    assert heading.split()[:3] == ["keyword", "title", "here"]
    assert [line.split()[0] for line in lines] == list(CATALOG)
    assert "4,000 1,000 10 28x28 grey" in " ".join(lines[0].split())
    assert "1.4 MB" in lines[0]
    assert [line.split()[0] for line in encoders.splitlines()] == ["encoder", *ENCODERS]


def test_json_tells_what_is_on_this_machine(data_dir: Path) -> None:
    (data_dir / "digits").mkdir(parents=True)
    (data_dir / "digits" / "data.npz").write_bytes(b"")
    (data_dir / "cifar10").mkdir()
    (data_dir / "cifar10" / "train.parquet").write_bytes(b"")
    entries = {entry["keyword"]: entry for entry in json.loads(listed("--json"))}
    assert {keyword for keyword, entry in entries.items() if entry["available"]} == {
        "digits",
        "cifar10",
    }
    assert entries["digits"]["download_bytes"] == 9_315_422
    assert entries["cifar10"]["download_bytes"] is None
    assert entries["cifar10"]["shape"] == [3, 32, 32]
    assert entries["cifar10"]["place"] == "local copy"
    assert entries["its"]["num_classes"] is None
    assert entries["reuters_r8"]["shape"] is None


def test_a_set_in_the_hub_cache_counts_as_here(data_dir: Path, tmp_path: Path) -> None:
    cached = tmp_path / "home/datasets/albertvillanova___medmnist-v2/bloodmnist/0.0.0/hash"
    cached.mkdir(parents=True)
    (cached / "dataset_info.json").write_text("{}")
    entries = {entry["keyword"]: entry for entry in json.loads(listed("--json"))}
    assert [keyword for keyword, entry in entries.items() if entry["available"]] == ["bloodmnist"]
