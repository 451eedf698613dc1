"""Partitions of texts, with and without labels and authors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from datasets_app.catalog.text_data import TextData
from simulations.fl import build
from simulations.fl.config import StrategyConfig, parse, resolve
from simulations.fl.errors import ConfigError, DataError
from simulations.fl.text.corpus import Corpus

BASE = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 1, "num_of_clients": 4}


def resolved(**changes: Any) -> StrategyConfig:
    return resolve(parse(BASE | changes), drawn_seed=1).strategies[0]


def texts(class_names: tuple[str, ...] = (), ids: Any = None) -> Corpus:
    """Return forty texts; partitions read no token of them."""
    words = pa.chunked_array([[f"text {number}" for number in range(40)]])
    labels = np.arange(40) % max(len(class_names), 1)
    data = TextData(words, labels, words, labels, ids, class_names)
    nothing: Any = None
    return Corpus(data, Path("none"), nothing, nothing, nothing)


def sizes(config: StrategyConfig, given: Corpus) -> list[int]:
    return [len(share) for share in build.shares(config, given)]


def test_texts_without_labels_are_divided_by_number() -> None:
    config = resolved(dataset_keyword="medal", partitioning_strategy="linear")
    assert sizes(config, texts()) == [4, 8, 12, 16]
    spread = build.label_distribution(config, texts(), build.shares(config, texts()))
    assert spread.counts is None and spread.sizes.tolist() == [4, 8, 12, 16]


def test_a_catalogued_dataset_without_labels_is_not_divided_by_label() -> None:
    with pytest.raises(ConfigError, match="dirichlet divides by label, but medal has none; use"):
        resolved(dataset_keyword="medal", partitioning_strategy="dirichlet")


def test_of_a_dataset_outside_the_catalogue_the_run_says_so() -> None:
    config = resolved(
        hf_dataset_name="someone/notes",
        model_type="transformer",
        partitioning_strategy="dirichlet",
        partitioning_params={"alpha": 100.0},
    )
    with pytest.raises(DataError, match="dirichlet divides by label, but this dataset has none"):
        build.shares(config, texts())
    assert sum(sizes(config, texts(("yes", "no")))) == 40


def test_authors_found_in_the_data_can_be_clients() -> None:
    config = resolved(
        hf_dataset_name="someone/notes",
        model_type="transformer",
        partitioning_strategy="natural_id",
    )
    ids = np.array([f"author {number % 5}" for number in range(40)])
    assert sizes(config, texts(ids=ids)) == [8] * 4
    with pytest.raises(DataError, match="natural_id divides by natural id"):
        build.shares(config, texts())


def test_masked_language_modelling_of_labelled_texts_may_divide_by_label() -> None:
    config = resolved(
        dataset_keyword="reuters_r8",
        partitioning_strategy="pathological",
        partitioning_params={
            "num_classes_per_partition": 2,
            "class_assignment_mode": "deterministic",
        },
    )
    given = texts(tuple("abcdefgh"))
    shares = build.shares(config, given)
    spread = build.label_distribution(config, given, shares)
    assert spread.counts is not None
    assert (spread.counts > 0).sum(axis=1).tolist() == [2] * 4
