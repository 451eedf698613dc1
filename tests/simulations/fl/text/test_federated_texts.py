from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from datasets_app.catalog.text_data import TextData
from simulations.fl.errors import DataError
from simulations.fl.text.corpus import Corpus, corpus
from simulations.fl.text.federated_texts import ClassifiedTexts, ContinuousTexts

CPU = torch.device("cpu")
CHOSEN = np.array([3, 11, 42])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def classified(tokenised: Corpus) -> ClassifiedTexts:
    return ClassifiedTexts(tokenised, None, CPU)


@pytest.fixture
def continuous(tokenised: Corpus) -> ContinuousTexts:
    return ContinuousTexts(tokenised, None, CPU, chunk_size=24, probability=0.15)


def test_a_batch_holds_the_chosen_texts_and_their_classes(
    classified: ClassifiedTexts, tokenised: Corpus
) -> None:
    ids, labels = classified.training(CHOSEN, rng()).batch(torch.tensor([2, 0]))
    assert labels.tolist() == tokenised.data.train_labels[[42, 3]].tolist()
    for row, index in zip(ids, (42, 3), strict=True):
        expected = tokenised.train[index].tolist()
        assert row.tolist() == expected + [0] * (ids.shape[1] - len(expected))
    assert ids.shape[1] == max(len(tokenised.train[index]) for index in (42, 3))


def test_chunks_give_every_text_of_the_test_set_once_and_in_order(
    classified: ClassifiedTexts, tokenised: Corpus
) -> None:
    samples = classified.test(slice(0, 80), rng())
    batches = list(samples.chunks(256))
    assert [len(labels) for _, labels in batches] == [32, 32, 16]
    assert torch.cat([labels for _, labels in batches]).tolist() == list(tokenised.data.test_labels)


def test_what_attacks_see_encodes_to_what_the_network_sees(classified: ClassifiedTexts) -> None:
    texts, labels = classified.plain_training(CHOSEN)
    assert all(isinstance(text, str) for text in texts)
    seen, known = (
        s.batch(slice(0, 3))
        for s in (classified.encode(texts, labels, rng()), classified.training(CHOSEN, rng()))
    )
    assert torch.equal(seen[0], known[0]) and torch.equal(seen[1], known[1])


def test_a_clients_texts_are_joined_and_cut_into_chunks(
    continuous: ContinuousTexts, tokenised: Corpus
) -> None:
    samples = continuous.training(CHOSEN, rng())
    total = sum(len(tokenised.train[index]) for index in CHOSEN)
    assert len(samples) == -(-total // 24)
    (ids, _), _ = samples.batch(slice(0, len(samples)))
    assert ids.shape == (len(samples), 24)


def test_unlabelled_samples_have_no_label_to_attack(continuous: ContinuousTexts) -> None:
    _, labels = continuous.plain_training(CHOSEN)
    assert labels.tolist() == [-1, -1, -1]


def test_nothing_to_evaluate_is_no_batch(
    classified: ClassifiedTexts, continuous: ContinuousTexts
) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert list(classified.training(nothing, rng()).chunks(256)) == []
    assert list(continuous.training(nothing, rng()).chunks(256)) == []


def test_texts_without_a_word_are_an_error_of_masking(tokenised: Corpus) -> None:
    empty = pa.chunked_array([pa.array(["", " "], pa.large_string())])
    labels = np.zeros(2, dtype=np.int64)
    blank = corpus(TextData(empty, labels, empty, labels), tokenised.encoder, None)
    texts = ContinuousTexts(blank, None, CPU, chunk_size=24, probability=0.15)
    with pytest.raises(DataError, match="2 texts of a client hold no token"):
        texts.training(np.array([0, 1]), rng())
