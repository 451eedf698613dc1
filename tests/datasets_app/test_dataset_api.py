"""`GET /api/datasets/validate`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image
from django.test import Client
from PIL import Image as PILImage

from datasets_app import api
from datasets_app.catalog import CATALOG
from tests.datasets_app.hub_server import Hub, serving


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return tmp_path / "data"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as (server, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield server


def verdict(client: Client, name: str) -> dict[str, Any]:
    response = client.get("/api/datasets/validate", {"name": name})
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("keyword", CATALOG)
def test_a_dataset_of_the_catalogue_is_described_by_it(client: Client, keyword: str) -> None:
    spec = CATALOG[keyword]
    answer = verdict(client, keyword)
    assert (answer["valid"], answer["compatible"]) == (True, True)
    assert answer["info"]["splits"][0] == "train"
    assert answer["info"]["has_label"] == (spec.label_column is not None)
    if spec.num_train:
        assert answer["info"]["num_examples"] == spec.num_train + spec.num_test


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a b", "no name of a dataset"),
        ("../etc", "must not lead out of INTELLIFL_DATA_DIR"),
        ("", "must be a name of 1 to 300 printable characters"),
        ("x" * 301, "must be a name of 1 to 300 printable characters"),
    ],
)
def test_a_malformed_name_is_not_valid(client: Client, name: str, words: str) -> None:
    answer = verdict(client, name)
    assert answer["valid"] is False
    assert words in answer["error"]
    assert "info" not in answer


def test_without_a_name_the_request_is_refused(client: Client) -> None:
    assert client.get("/api/datasets/validate").status_code == 422


@pytest.mark.slow
def test_a_folder_of_the_data_folder_is_looked_at(client: Client, data_dir: Path) -> None:
    features = Features({"image": Image(), "kind": ClassLabel(names=["a", "b"])})
    pictures = [PILImage.fromarray(np.zeros((4, 4), dtype=np.uint8))] * 3
    table = Dataset.from_dict({"image": pictures, "kind": [0, 1, 0]}, features=features)
    table.save_to_disk(data_dir / "mine")
    for name in ("./mine", str(data_dir / "mine")):
        answer = verdict(client, name)
        assert answer["compatible"] is True
        assert answer["info"] == {
            "splits": ["train"],
            "num_examples": 3,
            "features": "image: PIL.Image.Image, kind: 2 classes",
            "has_label": True,
            "key_features": ["image", "kind"],
        }


@pytest.mark.slow
def test_arrays_in_the_data_folder_are_looked_at(client: Client, data_dir: Path) -> None:
    (data_dir / "mine").mkdir()
    images, labels = np.zeros((10, 4, 4), dtype=np.uint8), np.zeros(10, dtype=np.uint8)
    np.savez(data_dir / "mine" / "mine.npz", train_images=images, train_labels=labels)
    answer = verdict(client, "./mine")
    assert (answer["compatible"], answer["info"]["num_examples"]) == (True, 10)


@pytest.mark.slow
def test_a_path_outside_the_data_folder_is_not_looked_at(client: Client, data_dir: Path) -> None:
    answer = verdict(client, "/etc")
    assert answer == {
        "valid": False,
        "error": "/etc lies outside INTELLIFL_DATA_DIR; put it there, where runs may read.",
    }


@pytest.mark.slow
def test_what_the_hub_refuses_has_its_sentence(client: Client, hub: Hub) -> None:
    hub.datasets["nobody/gated"] = "GatedRepo"
    assert verdict(client, "nobody/absent") == {
        "valid": False,
        "error": "The hub has no dataset nobody/absent.",
    }
    assert "is gated" in verdict(client, "nobody/gated")["error"]


@pytest.mark.slow
def test_a_dataset_of_the_hub_is_looked_at(client: Client, hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    lines = [json.dumps({"text": f"t {n}", "label": n % 2}) for n in range(4)]
    (folder / "train.jsonl").write_text("\n".join(lines))
    hub.datasets["nobody/texts"] = folder
    answer = verdict(client, "nobody/texts")
    assert (answer["valid"], answer["compatible"]) == (True, True)
    assert answer["info"]["key_features"] == ["text", "label"]


@pytest.mark.slow
def test_an_unreachable_hub_is_told_in_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "hub cannot be reached" in verdict(client, "nobody/tiny")["error"]


def test_a_look_that_takes_too_long_is_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LIMIT_S", 0.2)
    assert "took more than 0.2 s" in verdict(client, "nobody/tiny")["error"]
    left = subprocess.run(["pgrep", "-f", f"{api.INSPECTION} nobody/tiny"], capture_output=True)
    assert left.stdout == b""


def test_more_looks_than_allowed_at_once_are_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LIMIT_S", 0.1)
    for _ in range(2):
        api._inspections.acquire()
    try:
        assert "ask again" in verdict(client, "nobody/tiny")["error"]
    finally:
        for _ in range(2):
            api._inspections.release()
