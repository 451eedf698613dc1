"""Texts with hidden tokens, which the network has to find (BERT, arXiv 1810.04805)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulations.fl.text.labelled import EVALUATION_BATCH, at
from simulations.fl.text.tokenizer import Tokenizer
from simulations.fl.text.tokens import Sequence32, padded

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]
REPLACED, RANDOM = 0.8, 0.1


@dataclass(frozen=True)
class Masking:
    """Which tokens are hidden, and how: of a sequence a share, but at least one."""

    tokenizer: Tokenizer
    probability: float

    def can_hide(self, ids: Ids | Sequence32) -> Mask:
        """Return where a token is that may be hidden: none of the special ones is."""
        allowed: Mask = ~np.isin(ids, self.tokenizer.special_ids)
        return allowed

    def draw(self, ids: Ids, rng: np.random.Generator) -> Mask:
        """Choose the tokens (k, length) to be found; every row must have one that can be."""
        allowed = self.can_hide(ids)
        lot = np.where(allowed, rng.random(ids.shape), 2.0)
        hidden: Mask = lot < self.probability
        hidden[np.arange(len(ids)), lot.argmin(axis=1)] = True
        return hidden

    def hide(self, ids: Ids, hidden: Mask, rng: np.random.Generator) -> Ids:
        """Return `ids` with most hidden tokens masked, some random and some as they are."""
        lot = rng.random(ids.shape)
        shown = np.where(hidden & (lot < REPLACED), self.tokenizer.mask_id, ids)
        drawn = rng.integers(self.tokenizer.size, size=ids.shape)
        return np.where(hidden & (lot >= REPLACED) & (lot < REPLACED + RANDOM), drawn, shown)


@dataclass(frozen=True)
class MaskedTexts:
    """Token sequences whose hidden tokens are drawn anew from `rng` for every batch."""

    sequences: Sequence[Sequence32]
    masking: Masking
    rng: np.random.Generator
    device: torch.device

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, chosen: Tensor | slice) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Return ((token numbers (k, length), places (h,)), hidden tokens (h,)).

        The places count through all k * length tokens.
        """
        ids = padded(at(self.sequences, chosen), self.masking.tokenizer.pad_id)
        hidden = self.masking.draw(ids, self.rng)
        shown = self.masking.hide(ids, hidden, self.rng)
        arrays = shown, np.flatnonzero(hidden), ids[hidden]
        tokens, places, sought = (torch.from_numpy(a).to(self.device) for a in arrays)
        return (tokens, places), sought

    def chunks(self, size: int) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor]]:
        step = min(size, EVALUATION_BATCH)
        for first in range(0, len(self), step):
            yield self.batch(slice(first, first + step))
