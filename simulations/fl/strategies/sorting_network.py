"""Networks of comparators, which order the rows of a block in every column at once.

A comparator puts the smaller of two values, column by column, into one row and the larger into the
other. Which rows are compared never depends on the values, so whole rows are compared at the speed
of memory in the cache, without a branch and without transposing the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Use(Enum):
    """What the value of a rank is wanted for."""

    NONE = "not at all"
    SET = "as one of a set, whose values may change places"
    RANK = "by its rank"


class Comparator(NamedTuple):
    low: int
    high: int
    wants_low: bool
    wants_high: bool


@lru_cache(maxsize=32)
def network(uses: tuple[Use, ...]) -> tuple[Comparator, ...]:
    """Return comparators after which row r holds the value of rank r wherever `uses[r]` wants it.

    They are those of a sort of len(uses) rows without what only orders values that are not wanted,
    or values of the set among each other.
    """
    wanted: list[Use] = list(uses)
    needed = []
    for low, high in reversed(list(_merge_sort(len(uses)))):
        if wanted[low] is wanted[high] and wanted[low] is not Use.RANK:
            continue
        wants = wanted[low] is not Use.NONE, wanted[high] is not Use.NONE
        needed.append(Comparator(low, high, *wants))
        wanted[low] = wanted[high] = Use.RANK
    return tuple(reversed(needed))


def _merge_sort(n: int) -> Iterator[tuple[int, int]]:
    """Yield the comparators of the odd-even merge sort of n rows (Batcher 1968; Knuth 5.2.2 M)."""
    merged = 1
    while merged < n:
        apart = merged
        while apart:
            for start in range(apart % merged, n - apart, 2 * apart):
                for low in range(start, min(start + apart, n - apart)):
                    if low // (2 * merged) == (low + apart) // (2 * merged):
                        yield low, low + apart
            apart //= 2
        merged *= 2


def order(
    rows: list[NDArray[Any]], spare: NDArray[Any], comparators: tuple[Comparator, ...]
) -> None:
    """Apply the comparators to `rows`, arrays of one length that are overwritten, as is `spare`.

    The list is put in order; which array holds which rank, and which is left over, is arbitrary.
    """
    for low, high, wants_low, wants_high in comparators:
        one, other = rows[low], rows[high]
        if wants_low and wants_high:
            np.minimum(one, other, out=spare)
            np.maximum(one, other, out=other)
            rows[low], spare = spare, one
        elif wants_low:
            np.minimum(one, other, out=one)
        else:
            np.maximum(one, other, out=other)
