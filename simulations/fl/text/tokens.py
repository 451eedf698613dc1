"""Token numbers of many texts in two flat arrays, which can lie on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sequence32 = NDArray[np.int32]


@dataclass(frozen=True)
class Tokens:
    """Text i is `numbers[offsets[i] : offsets[i + 1]]`; it is given as a view, never copied."""

    numbers: Sequence32
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Sequence32:
        return self.numbers[self.offsets[index] : self.offsets[index + 1]]

    def at(self, indices: Iterable[int]) -> list[Sequence32]:
        return [self[index] for index in indices]


def gathered(texts: Iterable[Sequence[int]]) -> Tokens:
    """Lay the tokens of all texts one after the other."""
    parts = [np.asarray(text, dtype=np.int32) for text in texts]
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    numbers = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    return Tokens(numbers, offsets)


def padded(sequences: Sequence[Sequence32], pad_id: int) -> NDArray[np.int64]:
    """Return the sequences as rows, filled up at the end to the length of the longest."""
    rows = np.full((len(sequences), max(map(len, sequences))), pad_id, dtype=np.int64)
    for row, sequence in zip(rows, sequences, strict=True):
        row[: len(sequence)] = sequence
    return rows


def chunked(sequences: Sequence[Sequence32], size: int) -> list[Sequence32]:
    """Join the sequences and cut them into pieces of `size` tokens; the last may be shorter."""
    if not sequences:
        return []
    joined = np.concatenate(sequences)
    return [joined[first : first + size] for first in range(0, len(joined), size)]
