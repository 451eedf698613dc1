"""A dataset that says whose its samples are, from a parquet file to clients that are writers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from PIL import Image

from datasets_app.catalog import CATALOG
from datasets_app.catalog.image_data import ImageData
from simulations.fl import build, label_distribution
from simulations.fl.config import parse, resolve
from simulations.fl.errors import DataError
from simulations.fl.events import StrategyStarted
from simulations.fl.simulation import run

WRITERS, EACH, CHARACTERS = 9, 30, 6
CONFIG = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "femnist_niid",
    "num_of_rounds": 1,
    "num_of_clients": 5,
    "training_device": "cpu",
    "seed": 4,
}


@pytest.fixture(scope="module")
def femnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with a parquet file of FEMNIST's columns, samples in no order."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = [
        {
            "image": {"bytes": _png(rng), "path": None},
            "writer_id": f"f{writer:04}_00",
            "hsf_id": 0,
            "character": (writer + sample) % CHARACTERS,
        }
        for writer in range(WRITERS)
        for sample in range(EACH)
    ]
    rng.shuffle(rows)
    (folder / "femnist_niid").mkdir()
    Dataset.from_list(rows).to_parquet(folder / "femnist_niid" / "train.parquet")
    return folder


def _png(rng: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


def test_femnist_is_divided_by_writer(femnist: Path, tmp_path: Path) -> None:
    config = resolve(parse(CONFIG), drawn_seed=0)
    assert config.strategies[0].partitioning_strategy == "natural_id"
    source = build.from_catalogue(femnist)
    events = list(run(config, source, run_dir=tmp_path, workers=1))
    data = source(config.strategies[0])
    assert isinstance(data, ImageData) and data.train_ids is not None
    shares = build.shares(config.strategies[0], data)
    writers = [
        {data.train_ids[index] for index in (*share.training, *share.validation)}
        for share in shares
    ]
    assert [len(who) for who in writers] == [1] * 5
    chosen = [who.pop() for who in writers]
    assert chosen == sorted(set(chosen))
    (started,) = (event for event in events if isinstance(event, StrategyStarted))
    held = [int((data.train_ids == writer).sum()) for writer in chosen]
    assert started.client_sizes == held
    spread = label_distribution.read(tmp_path, 0)
    assert spread is not None and spread.sizes.tolist() == held
    assert spread.unused == len(data.train_ids) - sum(held) > 0
    assert CATALOG["femnist_niid"].num_classes == 62
    assert spread.counts is not None and spread.counts.shape == (5, 62)


def test_more_clients_than_writers_are_refused_by_the_run(femnist: Path) -> None:
    config = resolve(parse({**CONFIG, "num_of_clients": 10}), drawn_seed=0)
    with pytest.raises(DataError, match="10 clients are more than the 9 natural ids"):
        list(run(config, build.from_catalogue(femnist), workers=1))
