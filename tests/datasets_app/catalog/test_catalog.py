from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog import CATALOG
from datasets_app.catalog.loading import ImageData, TextData, load
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
    "femnist_niid": 62,
    "cifar10": 10,
    "cifar100": 100,
    "cinic10": 10,
    "mnist5k": 10,
    "digits": 10,
    "fashion_mnist": 10,
    "its": 0,
    "flair": 0,
    "lung_photos": 0,
    "reuters_r8": 8,
    "newsgroups": 20,
    "financial_phrasebank": 3,
    "lexglue": 100,
    "pubmed_classification_20k": 5,
    "medal": 0,
    "medquad": 0,
}
"""By keyword; 0 where only the data tells, or where there are no labels."""
DOMAINS = {
    "financial": {"reuters_r8", "financial_phrasebank"},
    "legal": {"lexglue"},
    "medical": {"pubmed_classification_20k", "medal", "medquad"},
}


def test_the_specified_datasets_are_there_with_their_classes() -> None:
    assert {spec.keyword: spec.num_classes for spec in CATALOG.values()} == CLASSES


def test_texts_have_the_domain_that_their_words_belong_to() -> None:
    found = {name: {s.keyword for s in CATALOG.values() if s.domain == name} for name in DOMAINS}
    assert found == DOMAINS


@pytest.mark.parametrize("keyword", CATALOG)
def test_every_default_fits(keyword: str) -> None:
    spec = CATALOG[keyword]
    network = NETWORKS[spec.network]
    assert (network.model_type == "transformer") == (spec.modality == "text")
    if spec.shape:
        assert min(spec.shape[1:]) >= network.min_side
    PARTITIONS[spec.partitioning].params(**spec.partitioning_params)


@pytest.mark.parametrize("keyword", CATALOG)
def test_every_spec_says_what_its_modality_needs(keyword: str) -> None:
    spec = CATALOG[keyword]
    assert spec.licence
    assert len(spec.class_names) in (0, spec.num_classes)
    assert len(spec.shape) == (0 if spec.modality == "text" or spec.is_detected else 3)


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
    assert isinstance(data, ImageData)
    assert np.bincount(data.train_labels).tolist() == [400] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    assert (data.train_images.min(), data.train_images.max()) == (0, 255)


@pytest.mark.slow
def test_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    data = load(CATALOG["digits"], tmp_path)
    assert isinstance(data, ImageData)
    assert (len(data.train_labels), len(data.test_labels)) == (1442, 355)
    first = [0, 0, 5, 13, 9, 1, 0, 0]
    restored = np.rint(data.train_images[0, 0, 0].astype(int) * 16 / 255).astype(int)
    assert restored.tolist() == first


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get")
def test_fashion_mnist_has_six_thousand_training_images_of_each_class(tmp_path: Path) -> None:
    data = load(CATALOG["fashion_mnist"], tmp_path)
    assert isinstance(data, ImageData)
    assert data.train_images.shape == (60_000, 1, 28, 28)
    assert np.bincount(data.train_labels).tolist() == [6_000] * 10
    assert np.bincount(data.test_labels).tolist() == [1_000] * 10
    # The mean and deviation of the training images, as everybody normalises by.
    unit = data.train_images / 255
    assert (round(float(unit.mean()), 4), round(float(unit.std()), 4)) == (0.2860, 0.3530)


@pytest.mark.slow
def test_reuters_and_newsgroups_have_the_published_sizes(tmp_path: Path) -> None:
    sizes = {}
    for keyword in ("reuters_r8", "newsgroups"):
        data = load(CATALOG[keyword], tmp_path)
        assert isinstance(data, TextData)
        assert len(set(data.train_labels.tolist())) == CATALOG[keyword].num_classes
        sizes[keyword] = (len(data.train_labels), len(data.test_labels))
    assert sizes == {"reuters_r8": (5_485, 2_189), "newsgroups": (11_293, 7_528)}
    assert np.bincount(load(CATALOG["reuters_r8"], tmp_path).test_labels)[2] == 1_083
