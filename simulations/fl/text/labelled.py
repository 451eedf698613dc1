"""Texts with a class each, as the network takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulations.fl.text.tokens import Sequence32, padded

EVALUATION_BATCH = 32


@dataclass(frozen=True)
class LabelledTexts:
    """Token sequences and their classes (m,); padded to the longest of a batch."""

    sequences: Sequence[Sequence32]
    labels: Tensor
    pad_id: int

    @property
    def device(self) -> torch.device:
        return self.labels.device

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, chosen: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return token numbers (k, length) and classes (k,)."""
        rows = padded(at(self.sequences, chosen), self.pad_id)
        return torch.from_numpy(rows).to(self.device), self.labels[chosen]

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        step = min(size, EVALUATION_BATCH)
        for first in range(0, len(self), step):
            yield self.batch(slice(first, first + step))


def at(sequences: Sequence[Sequence32], chosen: Tensor | slice) -> Sequence[Sequence32]:
    if isinstance(chosen, slice):
        return sequences[chosen]
    return [sequences[index] for index in chosen.tolist()]
