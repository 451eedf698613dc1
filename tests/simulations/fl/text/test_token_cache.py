from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_app.catalog.text_data import TextData
from simulations.fl.errors import DataError, StorageError
from simulations.fl.text import tokenizer as tokenizers
from simulations.fl.text.cache import FOLDER, tokens_of
from simulations.fl.text.corpus import corpus
from simulations.fl.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> Tokenizer:
    return tokenizers.load(encoder)


def test_tokens_are_those_of_the_tokenizer(news: TextData, tokenizer: Tokenizer) -> None:
    tokens = tokens_of(news.train_texts, tokenizer, None, None)
    for index in (0, 1, 159):
        text = news.train_texts[index].as_py()
        assert tokenizer.fast.decode(tokens[index]) == f"[CLS] {text} [SEP]"


def test_a_long_text_is_cut_and_still_ended(news: TextData, tokenizer: Tokenizer) -> None:
    tokens = tokens_of(news.train_texts, tokenizer, 8, None)
    assert all(len(text) == 8 and text[-1] == 3 for text in tokens.at(range(len(tokens))))


def test_the_second_time_tokens_are_mapped_not_made(
    news: TextData, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = corpus(news, encoder, 12)
    corpus(news, encoder, 12, tmp_path)
    monkeypatch.setattr(Tokenizer, "encode", None)
    found = corpus(news, encoder, 12, tmp_path)
    assert isinstance(found.train.numbers, np.memmap)
    assert np.array_equal(found.train.numbers, made.train.numbers)
    assert np.array_equal(found.test.offsets, made.test.offsets)


def test_other_texts_or_lengths_have_tokens_of_their_own(
    news: TextData, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    for texts, most in ((news.train_texts, 12), (news.train_texts, 13), (news.test_texts, 12)):
        tokens_of(texts, tokenizer, most, tmp_path)
    assert len(list((tmp_path / FOLDER).iterdir())) == 3


def test_a_damaged_cache_is_an_error_that_names_its_folder(
    news: TextData, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    tokens_of(news.test_texts, tokenizer, 12, tmp_path)
    (folder,) = (tmp_path / FOLDER).iterdir()
    (folder / "offsets.npy").write_bytes(b"x")
    with pytest.raises(StorageError, match=folder.name):
        tokens_of(news.test_texts, tokenizer, 12, tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no tokenizer"):
        tokenizers.load(tmp_path)
