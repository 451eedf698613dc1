"""A dataset of texts, tokenised for one encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets_app.catalog.labels import Labels
from datasets_app.catalog.text_data import TextData
from simulations.fl.text import tokenizer as tokenizers
from simulations.fl.text.cache import tokens_of
from simulations.fl.text.tokenizer import Tokenizer
from simulations.fl.text.tokens import Tokens


@dataclass(frozen=True)
class Corpus:
    """Texts, the tokens of both splits, and the folder of the encoder that they are for."""

    data: TextData
    encoder: Path
    tokenizer: Tokenizer
    train: Tokens
    test: Tokens

    @property
    def train_labels(self) -> Labels:
        return self.data.train_labels


def corpus(
    data: TextData, encoder: Path, most_tokens: int | None, cache_dir: Path | None = None
) -> Corpus:
    """Tokenise `data`, of each text the first `most_tokens`, or read the tokens in `cache_dir`.

    Raises DataError for a folder that holds no encoder, StorageError for a cache that fails.
    """
    tokenizer = tokenizers.load(encoder)
    return Corpus(
        data=data,
        encoder=encoder,
        tokenizer=tokenizer,
        train=tokens_of(data.train_texts, tokenizer, most_tokens, cache_dir),
        test=tokens_of(data.test_texts, tokenizer, most_tokens, cache_dir),
    )
