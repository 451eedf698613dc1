"""The packaged encoder on real news: needs the packages that hold both, or a network once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_app.catalog import CATALOG
from datasets_app.catalog.loading import load
from datasets_app.catalog.text_data import TextData
from intellifl.environment import environment
from simulations.fl import strict_json
from simulations.fl.config import parse, resolve
from simulations.fl.events import RoundFinished, StrategyStarted
from simulations.fl.simulation import run
from simulations.fl.text import encoders
from simulations.fl.text.corpus import corpus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
EXAMPLE = Path(__file__).parents[4] / "examples" / "reuters_lora.json"
SMALLER: dict[str, Any] = {
    "num_of_rounds": 3,
    "llm_num_layers": 2,
    "max_seq_length": 32,
    "num_of_clients": 4,
    "fraction_fit": 1.0,
    "learning_rate": 0.005,
    "training_device": "cpu",
}


def some(texts: TextData, num_train: int, num_test: int) -> TextData:
    """Return a random part of the texts; its majority class, earn, is about half."""
    rng = np.random.default_rng(0)
    train = np.sort(rng.permutation(len(texts.train_labels))[:num_train])
    test = np.sort(rng.permutation(len(texts.test_labels))[:num_test])
    return replace(
        texts,
        train_texts=texts.train_texts.take(train),
        train_labels=texts.train_labels[train],
        test_texts=texts.test_texts.take(test),
        test_labels=texts.test_labels[test],
    )


def test_the_example_learns_news_in_a_smaller_form() -> None:
    given: dict[str, Any] = strict_json.loads(EXAMPLE.read_bytes())
    config = resolve(parse(given | SMALLER), drawn_seed=0)
    data_dir = environment().data_dir
    texts = load(CATALOG["reuters_r8"], data_dir)
    assert isinstance(texts, TextData)
    folder = encoders.locate("minilm", data_dir)
    news = corpus(some(texts, 1_000, 300), folder, SMALLER["max_seq_length"])
    events = list(run(config, lambda _: news, workers=2))
    (started,) = (event for event in events if isinstance(event, StrategyStarted))
    assert started.num_parameters == 2 * 2 * 8 * (384 + 384) + 384 * 8 + 8
    rounds = [event for event in events if isinstance(event, RoundFinished)]
    majority = np.bincount(news.data.test_labels).max() / 300
    accuracy = rounds[-1].global_accuracy
    assert accuracy is not None and accuracy > majority + 0.15 and accuracy > 0.7
