"""Text datasets as clients use them: for classification, or for masked language modelling."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from simulations.fl.attacks.base import UNLABELLED, Labels
from simulations.fl.errors import DataError
from simulations.fl.federated_data import FederatedData, Samples
from simulations.fl.partition import Indices
from simulations.fl.text.corpus import Corpus
from simulations.fl.text.labelled import LabelledTexts
from simulations.fl.text.masked import MaskedTexts, Masking
from simulations.fl.text.tokens import Sequence32, Tokens, chunked


class FederatedTexts(FederatedData):
    """Tokens stay where they lie; strings are made for the clients that are attacked only."""

    def __init__(self, corpus: Corpus, most_tokens: int | None, device: torch.device) -> None:
        self._corpus = corpus
        self._most_tokens = most_tokens
        self._device = device
        self.num_test = len(corpus.test)

    def training(self, chosen: Indices, rng: np.random.Generator) -> Samples:
        labels = self._corpus.data.train_labels[chosen]
        return self._samples(self._corpus.train.at(chosen), labels, rng)

    def test(self, chosen: slice, rng: np.random.Generator) -> Samples:
        labels = self._corpus.data.test_labels[chosen]
        return self._samples(_slice(self._corpus.test, chosen), labels, rng)

    def plain_training(self, chosen: Indices) -> tuple[list[str], Labels]:
        data = self._corpus.data
        return data.train_texts.take(chosen).to_pylist(), self._plain(data.train_labels[chosen])

    def plain_test(self) -> tuple[list[str], Labels]:
        data = self._corpus.data
        return data.test_texts.to_pylist(), self._plain(data.test_labels)

    def encode(self, samples: Any, labels: Labels, rng: np.random.Generator) -> Samples:
        texts = self._corpus.tokenizer.encode(samples, self._most_tokens)
        return self._samples([np.asarray(text, dtype=np.int32) for text in texts], labels, rng)

    def _plain(self, labels: Labels) -> Labels:
        return labels

    @abstractmethod
    def _samples(
        self, texts: Sequence[Sequence32], labels: Labels, rng: np.random.Generator
    ) -> Samples:
        """Return tokenised texts as the network sees them."""


class ClassifiedTexts(FederatedTexts):
    """Each text has a class."""

    def _samples(
        self, texts: Sequence[Sequence32], labels: Labels, rng: np.random.Generator
    ) -> Samples:
        classes = torch.tensor(labels, device=self._device)
        return LabelledTexts(texts, classes, self._corpus.tokenizer.pad_id)


class ContinuousTexts(FederatedTexts):
    """The texts of a client, joined and cut into chunks whose hidden tokens are to be found."""

    def __init__(
        self,
        corpus: Corpus,
        most_tokens: int | None,
        device: torch.device,
        chunk_size: int,
        probability: float,
    ) -> None:
        super().__init__(corpus, most_tokens, device)
        self._chunk_size = chunk_size
        self._masking = Masking(corpus.tokenizer, probability)

    @property
    def has_classes(self) -> bool:
        return False

    def _plain(self, labels: Labels) -> Labels:
        return np.full_like(labels, UNLABELLED)

    def _samples(
        self, texts: Sequence[Sequence32], labels: Labels, rng: np.random.Generator
    ) -> Samples:
        chunks = [
            chunk
            for chunk in chunked(texts, self._chunk_size)
            if self._masking.can_hide(chunk).any()
        ]
        if texts and not chunks:
            raise DataError(
                f"{len(texts)} texts of a client hold no token that could be masked; use fewer "
                "clients or other data"
            )
        return MaskedTexts(chunks, self._masking, rng, self._device)


def _slice(tokens: Tokens, chosen: slice) -> list[Sequence32]:
    return tokens.at(range(*chosen.indices(len(tokens))))
