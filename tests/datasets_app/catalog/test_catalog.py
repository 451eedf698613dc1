from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog import CATALOG
from datasets_app.catalog.loading import load
from simulations.fl.networks import NETWORKS
from simulations.fl.partitions import PARTITIONS

CLASSES = {
    "pathmnist": 9,
    "dermamnist": 7,
    "octmnist": 4,
    "pneumoniamnist": 2,
    "retinamnist": 5,
    "breastmnist": 2,
    "bloodmnist": 8,
    "tissuemnist": 8,
    "organamnist": 11,
    "organcmnist": 11,
    "organsmnist": 11,
    "femnist_iid": 10,
    "cifar10": 10,
    "cifar100": 100,
    "cinic10": 10,
    "mnist5k": 10,
    "digits": 10,
}


def test_the_specified_datasets_are_there_with_their_classes() -> None:
    assert {spec.keyword: spec.num_classes for spec in CATALOG.values()} == CLASSES


@pytest.mark.parametrize("keyword", CATALOG)
def test_every_default_fits(keyword: str) -> None:
    spec = CATALOG[keyword]
    assert min(spec.shape[1:]) >= NETWORKS[spec.network].min_side
    PARTITIONS[spec.partitioning].params(**spec.partitioning_params)


def test_the_table_and_availability_load_no_data_library() -> None:
    code = (
        "import sys, datasets_app.catalog, datasets_app.catalog.availability, "
        "datasets_app.catalog.loading; "
        "print({'datasets', 'PIL', 'torch', 'pyarrow', 'django'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_mnist5k_has_four_hundred_training_images_of_each_digit(tmp_path: Path) -> None:
    data = load(CATALOG["mnist5k"], tmp_path)
    assert np.bincount(data.train_labels).tolist() == [400] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    assert (data.train_images.min(), data.train_images.max()) == (0, 255)


@pytest.mark.slow
def test_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    data = load(CATALOG["digits"], tmp_path)
    assert (len(data.train_labels), len(data.test_labels)) == (1442, 355)
    first = [0, 0, 5, 13, 9, 1, 0, 0]
    restored = np.rint(data.train_images[0, 0, 0].astype(int) * 16 / 255).astype(int)
    assert restored.tolist() == first
