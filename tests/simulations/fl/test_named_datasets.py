"""Runs on datasets outside the catalogue: what is found in the data, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Image
from PIL import Image as PILImage

from datasets_app.catalog.image_data import ImageData
from simulations.fl.build import from_catalogue
from simulations.fl.config import SimulationConfig, parse, resolve
from simulations.fl.errors import ConfigError, DataError
from simulations.fl.events import RoundFinished
from simulations.fl.simulation import run

NAMED: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "hf_dataset_name": "./mine",
    "num_of_rounds": 4,
    "num_of_clients": 4,
    "num_of_client_epochs": 3,
    "batch_size": 16,
    "training_device": "cpu",
    "seed": 5,
}
FLIP = {
    "attack_type": "targeted_label_flipping",
    "start_round": 1,
    "end_round": 1,
    "selection_strategy": "specific",
    "malicious_client_ids": [0],
    "source_class": 0,
}


@pytest.fixture
def mine(tmp_path: Path, digits: ImageData) -> Path:
    """A data folder that holds the separable digits under a name of its own."""
    features = Features(
        {"photo": Image(), "digit": ClassLabel(names=[f"the {n}" for n in range(10)])}
    )
    for split in ("train", "test"):
        images = getattr(digits, f"{split}_images")[:, 0]
        columns = {
            "photo": [PILImage.fromarray(image) for image in images],
            "digit": getattr(digits, f"{split}_labels"),
        }
        (tmp_path / "mine").mkdir(exist_ok=True)
        table = Dataset.from_dict(columns, features=features)
        table.to_parquet(tmp_path / "mine" / f"{split}.parquet")
    return tmp_path


def config(**changes: Any) -> SimulationConfig:
    return resolve(parse(NAMED | changes), drawn_seed=0)


def accuracies(settings: SimulationConfig, data_dir: Path) -> list[float | None]:
    events = list(run(settings, from_catalogue(data_dir)))
    return [e.global_accuracy for e in events if isinstance(e, RoundFinished)]


def test_a_run_learns_from_what_it_finds(mine: Path) -> None:
    accuracy = accuracies(config(), mine)[-1]
    assert accuracy is not None
    assert accuracy > 0.9


def test_columns_that_the_run_finds_are_null_and_a_warning_says_so() -> None:
    settings = config()
    (strategy,) = settings.strategies
    assert (strategy.image_column, strategy.label_column) == (None, None)
    assert (strategy.model_keyword, strategy.partitioning_strategy) == ("cnn_wide", "iid")
    assert any("are found when the run loads it" in text for text in settings.warnings)
    assert resolve(parse(strategy.model_dump(mode="json")), 0).strategies == settings.strategies


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model_keyword": "cnn"},
            "model_keyword: cnn needs images of 16 pixels or more, mine has 8",
        ),
        ({"num_of_clients": 300}, "300 clients are too many for mine, which has 240"),
        (
            {"attack_schedule": [FLIP | {"target_class": 10}]},
            "attack_schedule.0.target_class: mine has classes 0 to 9, not 10",
        ),
    ],
)
def test_what_does_not_fit_the_data_ends_the_run_at_its_start(
    changes: dict[str, Any], words: str, mine: Path
) -> None:
    settings = config(**changes)
    with pytest.raises(ConfigError) as caught:
        list(run(settings, from_catalogue(mine)))
    assert words in str(caught.value)


def test_another_column_is_loaded_anew(mine: Path) -> None:
    source = from_catalogue(mine)
    (plain,) = config().strategies
    (other,) = config(label_column="nothing").strategies
    assert source(plain) is source(plain)
    with pytest.raises(DataError, match="no column 'nothing'"):
        source(other)


def test_data_that_is_not_there_is_an_error_of_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mine is not on this machine"):
        list(run(config(), from_catalogue(tmp_path)))


@pytest.fixture
def refused() -> Callable[..., str]:
    def errors(**changes: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            parse(NAMED | changes)
        return "\n".join(caught.value.errors)

    return errors


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hf_dataset_name": "../secret"}, "hf_dataset_name: must not lead out of"),
        ({"hf_dataset_name": "a b"}, "hf_dataset_name: is no name of a dataset"),
        ({"hf_dataset_name": "digits"}, "digits is a dataset of the catalogue; name it in"),
        ({"dataset_keyword": "digits"}, "give either dataset_keyword or hf_dataset_name"),
        ({"text_column": "words"}, "text_column: is not read by a network of images"),
        (
            {"model_type": "transformer", "image_column": "photo"},
            "image_column: is not read by a transformer",
        ),
        (
            {
                "hf_dataset_name": None,
                "dataset_keyword": "cifar100",
                "label_column": "coarse_label",
            },
            "label_column: belongs to hf_dataset_name; cifar100 uses 'fine_label', so leave it out",
        ),
        (
            {"hf_dataset_name": None, "dataset_keyword": "digits", "dataset_source": "hard"},
            "dataset_source: belongs to hf_dataset_name; digits uses none",
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    changes: dict[str, Any], words: str, refused: Callable[..., str]
) -> None:
    assert words in refused(**changes)


def test_labels_stay_with_their_images(mine: Path, digits: ImageData) -> None:
    (strategy,) = config().strategies
    data = from_catalogue(mine)(strategy)
    assert isinstance(data, ImageData)
    assert np.array_equal(data.train_images, digits.train_images)
    assert data.test_labels.tolist() == digits.test_labels.tolist()
    assert data.class_names[3] == "the 3"
