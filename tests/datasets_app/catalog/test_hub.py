from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from datasets import load_dataset

from tests.datasets_app.catalog.loads import run_python
from tests.datasets_app.catalog.made import pictures, table

LOAD = """
import numpy as np
from pathlib import Path
from datasets_app.catalog.availability import is_available
from datasets_app.catalog.loading import DataUnavailable, load
from datasets_app.catalog.spec import DatasetSpec, HubSource

spec = DatasetSpec(
    "tinyhub", "Tiny", HubSource("nobody/tiny-images", "small"), "image", 3, (3, 4, 5), 12, 6, "-"
)
data_dir = Path({data_dir!r})
try:
    print(is_available(spec, data_dir))
    print(load(spec, data_dir).train_labels.tolist())
except DataUnavailable as error:
    print(error)
"""


@pytest.fixture
def hub_cache(tmp_path: Path) -> Path:
    """A Hugging Face home whose cache holds nobody/tiny-images (small), as `datasets` lays it."""
    source = tmp_path / "source"
    source.mkdir()
    table(pictures(12, 1), [0, 1, 2] * 4).to_parquet(source / "train.parquet")
    table(pictures(6, 2), [0, 1, 2] * 2).to_parquet(source / "test.parquet")
    home = tmp_path / "home"
    load_dataset(
        "parquet",
        "small",
        data_files={name: str(source / f"{name}.parquet") for name in ("train", "test")},
        cache_dir=str(home / "datasets"),
    )
    (built,) = (home / "datasets" / "parquet").glob("small*/*/*/")
    cached = home / "datasets" / "nobody___tiny-images" / "small" / "0.0.0" / "hash"
    cached.parent.mkdir(parents=True)
    built.rename(cached)
    for arrow in cached.glob("parquet-*.arrow"):
        arrow.rename(arrow.with_name(arrow.name.replace("parquet", "tiny-images")))
    info = cached / "dataset_info.json"
    text = info.read_text().replace('"dataset_name": "parquet"', '"dataset_name": "tiny-images"')
    config = json.loads(text) | {"config_name": "small"}
    info.write_text(json.dumps(config))
    return home


def test_the_cache_is_read_when_offline_and_then_stored(tmp_path: Path, hub_cache: Path) -> None:
    code = LOAD.format(data_dir=str(tmp_path / "data"))
    done = run_python(code, HF_HOME=str(hub_cache), HF_HUB_OFFLINE="1")
    assert done.stdout.splitlines() == ["True", str([0, 1, 2] * 4)], done.stderr
    stored = run_python(code, HF_HOME=str(tmp_path / "empty"), HF_HUB_OFFLINE="1")
    assert stored.stdout == done.stdout


def test_offline_without_a_cache_names_the_three_ways(tmp_path: Path) -> None:
    done = run_python(
        LOAD.format(data_dir=str(tmp_path)), HF_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="1"
    )
    available, message = done.stdout.splitlines()
    assert available == "False"
    for way in ("manage.py fetch_dataset tinyhub", "HF_HOME", "INTELLIFL_DATA_DIR/tinyhub/"):
        assert way in message
    assert str(tmp_path) not in message


@pytest.mark.slow
def test_a_hub_that_never_answers_does_not_hang_a_run(tmp_path: Path, hub_cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code = LOAD.format(data_dir=str(tmp_path / "data"))
        cached = run_python(code, HF_HOME=str(hub_cache), HF_ENDPOINT=endpoint)
        assert cached.stdout.splitlines()[-1] == str([0, 1, 2] * 4), cached.stderr
        code = LOAD.format(data_dir=str(tmp_path / "other"))
        nothing = run_python(code, HF_HOME=str(tmp_path / "empty"), HF_ENDPOINT=endpoint)
        assert "hub cannot be reached" in nothing.stdout
        assert "Retrying" not in cached.stderr + nothing.stderr


def test_a_hub_that_refuses_connections_is_not_asked_again(tmp_path: Path) -> None:
    done = run_python(
        LOAD.format(data_dir=str(tmp_path)),
        HF_HOME=str(tmp_path / "home"),
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert "hub cannot be reached" in done.stdout, done.stderr
    assert "Retrying" not in done.stderr
