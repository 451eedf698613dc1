"""The real client of the hub, on a hub that lives on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from tests.datasets_app.catalog.loads import run_python
from tests.datasets_app.catalog.made import pictures, table
from tests.datasets_app.hub_server import Hub, serving

pytestmark = pytest.mark.slow
LOAD = """
from pathlib import Path
from datasets_app.catalog.loading import DataUnavailable, load
from datasets_app.catalog.named import named

try:
    data = load(named({name!r}, modality="image", config={config!r}), Path({data_dir!r}))
    print(data.train_images.shape, data.test_labels.tolist(), data.class_names)
except DataUnavailable as error:
    print(error)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[Hub, dict[str, str]]]:
    """A hub with one good dataset, and the environment of a process that uses it."""
    data = tmp_path / "repository" / "data"
    data.mkdir(parents=True)
    table(pictures(12, 1), [0, 1, 2] * 4).to_parquet(data / "train-00000-of-00001.parquet")
    table(pictures(6, 2), [0, 1, 2] * 2).to_parquet(data / "test-00000-of-00001.parquet")
    with serving() as (server, address):
        server.datasets["nobody/tiny"] = tmp_path / "repository"
        yield server, {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "USE_TORCH": "0"}


def loaded(tmp_path: Path, variables: dict[str, str], name: str, config: str | None = None) -> str:
    code = LOAD.format(name=name, config=config, data_dir=str(tmp_path / "data"))
    done = run_python(code, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_dataset_is_loaded_from_the_hub_once_and_then_needs_none(
    hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    server, variables = hub
    expected = "(12, 3, 4, 5) [0, 1, 2, 0, 1, 2] ('0', '1', '2')"
    assert loaded(tmp_path, variables, "nobody/tiny") == expected
    assert any(asked.endswith(".parquet") for asked in server.asked)
    server.asked.clear()
    assert loaded(tmp_path, variables, "nobody/tiny") == expected
    assert server.asked == []
    offline = variables | {"HF_HUB_OFFLINE": "1"}
    other = tmp_path / "other"
    assert loaded(other, offline, "nobody/tiny") == expected, "the cache of the hub is read"


REFUSALS = {
    "nobody/absent": ("RepoNotFound", "the hub has no dataset nobody/absent"),
    "nobody/hidden": ("Private", "nobody/hidden does not exist on the hub or is private"),
    "nobody/gated": ("GatedRepo", "nobody/gated is gated: accept its terms on the hub"),
    "nobody/broken": ("Broken", "the Hugging Face hub cannot be reached"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_has_its_sentence_and_the_ways(
    name: str, hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    server, variables = hub
    server.datasets[name], words = REFUSALS[name]
    message = loaded(tmp_path, variables, name)
    assert words in message
    for way in ("with a network", "HF_HOME", f"INTELLIFL_DATA_DIR/{name}/"):
        assert way in message
    assert not (tmp_path / "data" / name).exists()


def test_several_configurations_are_listed(hub: tuple[Hub, dict[str, str]], tmp_path: Path) -> None:
    server, variables = hub
    folder = tmp_path / "several"
    for name in ("easy", "hard"):
        (folder / name).mkdir(parents=True)
        table(pictures(15, 1), [0, 1, 2] * 5).to_parquet(folder / name / "train.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: easy\n  data_files: easy/*\n"
        "- config_name: hard\n  data_files: hard/*\n---\n"
    )
    server.datasets["nobody/several"] = folder
    message = loaded(tmp_path, variables, "nobody/several")
    assert "name one of ['easy', 'hard'] in dataset_source" in message
    assert loaded(tmp_path, variables, "nobody/several", "nothing").count("['easy', 'hard']") == 1
    assert loaded(tmp_path, variables, "nobody/several", "hard").startswith("(12, 3, 4, 5)")


def inspected(tmp_path: Path, variables: dict[str, str], name: str) -> dict[str, Any]:
    data_dir = str(tmp_path / "data")
    code = f"""
import json
from pathlib import Path
from datasets_app.catalog.inspection import verdict
print(json.dumps(verdict({name!r}, Path({data_dir!r}))))
"""
    done = run_python(code, **variables)
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def test_a_dataset_of_the_hub_is_described_without_loading_it(
    hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    _, variables = hub
    assert inspected(tmp_path, variables, "nobody/tiny") == {
        "valid": True,
        "compatible": True,
        "reason": None,
        "info": {
            "splits": ["train", "test"],
            "num_examples": None,
            "features": "image: PIL.Image.Image, label: 3 classes, writer: string",
            "has_label": True,
            "key_features": ["image", "label"],
        },
    }
    assert not (tmp_path / "data").exists()


def test_a_card_that_counts_the_samples_is_believed(
    hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    _, variables = hub
    (tmp_path / "repository" / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: image\n    dtype: image\n"
        "  - name: label\n    dtype: int64\n  splits:\n  - name: train\n    num_bytes: 1\n"
        "    num_examples: 12\n  - name: test\n    num_bytes: 1\n    num_examples: 6\n---\n"
    )
    verdict = inspected(tmp_path, variables, "nobody/tiny")
    assert verdict["valid"], verdict
    info = verdict["info"]
    assert (info["num_examples"], info["splits"]) == (18, ["train", "test"])


def test_a_dataset_of_the_hub_without_labels_is_not_compatible(
    hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    server, variables = hub
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    Dataset.from_dict({"text": ["a", "b"]}).to_parquet(folder / "train.parquet")
    server.datasets["nobody/unlabelled"] = folder
    verdict = inspected(tmp_path, variables, "nobody/unlabelled")
    assert (verdict["valid"], verdict["compatible"]) == (True, False)
    assert verdict["reason"] == (
        "nobody/unlabelled: it has no column of labels; it has text. Name one in label_column"
    )
    assert verdict["info"]["has_label"] is False
    assert verdict["info"]["key_features"] == ["text"]


@pytest.mark.parametrize("name", REFUSALS)
def test_what_the_hub_refuses_is_not_valid(
    name: str, hub: tuple[Hub, dict[str, str]], tmp_path: Path
) -> None:
    server, variables = hub
    server.datasets[name], words = REFUSALS[name]
    verdict = inspected(tmp_path, variables, name)
    assert verdict["valid"] is False
    assert words.removeprefix("the ") in verdict["error"]
