"""What data attacks did to a client's samples: which changed, how, and which of them are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.attacks.base import Images, Labels
from simulations.fl.attacks.selection import Indices, take

Region = tuple[slice, slice]
"""Rows and columns of a rectangle of pixels."""


@dataclass(frozen=True)
class Stage:
    """The client's samples and labels after one attack of its schedule, with its settings.

    Images are (m, channels, height, width) in [0, 1], texts a list of m strings.
    """

    attack_type: str
    settings: Mapping[str, Any]
    samples: Any
    labels: Labels


@dataclass(frozen=True)
class Comparison:
    """A client's samples before all attacks and after the last."""

    before: Any
    after: Any
    labels_before: Labels
    labels_after: Labels

    @property
    def is_text(self) -> bool:
        return isinstance(self.before, list)

    def changed_samples(self) -> NDArray[np.bool_]:
        """Return which samples have other content, (m,)."""
        if self.is_text:
            pairs = zip(self.before, self.after, strict=True)
            return np.array([one != other for one, other in pairs], dtype=bool)
        return changed_images(self.before, self.after)

    def changed_labels(self) -> NDArray[np.bool_]:
        return np.asarray(self.labels_before != self.labels_after)

    def at(self, indices: Indices) -> Comparison:
        """Return the comparison of these samples only."""
        return Comparison(
            take(self.before, indices),
            take(self.after, indices),
            self.labels_before[indices],
            self.labels_after[indices],
        )


def shown_indices(comparison: Comparison, most: int) -> Indices:
    """Return up to `most` changed samples, evenly spread; of all samples if none changed."""
    candidates = np.flatnonzero(comparison.changed_samples() | comparison.changed_labels())
    if not len(candidates):
        candidates = np.arange(len(comparison.labels_before))
    count = min(most, len(candidates))
    places = np.linspace(0, len(candidates) - 1, count).round().astype(np.int64)
    return candidates[places] if count else candidates


def confusion(before: Labels, after: Labels) -> tuple[Labels, NDArray[np.int64]]:
    """Return the classes that occur, and how many samples of each (row) became each (column)."""
    classes, places = np.unique(np.concatenate([before, after]), return_inverse=True)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (places[: len(before)], places[len(before) :]), 1)
    return classes, counts


def flip_summary(before: Labels, after: Labels) -> dict[str, Any]:
    """Return how many labels changed, and from which class to which, the most frequent first."""
    classes, counts = confusion(before, after)
    pairs = [
        {"from": int(classes[row]), "to": int(classes[column]), "count": int(counts[row, column])}
        for row, column in np.argwhere(counts)
        if row != column
    ]
    flipped = sum(pair["count"] for pair in pairs)
    return {
        "total_samples": len(before),
        "flipped_samples": flipped,
        "flip_rate": flipped / len(before) if len(before) else None,
        "flips": sorted(pairs, key=lambda pair: (-pair["count"], pair["from"], pair["to"])),
    }


def changed_images(before: Images, after: Images) -> NDArray[np.bool_]:
    """Return which images have another pixel, (m,)."""
    return np.asarray((before != after).any(axis=(1, 2, 3)))


def changed_region(before: Images, after: Images) -> Region | None:
    """Return the rows and columns that hold all changed pixels, or None when nothing changed."""
    changed = (before != after).any(axis=(0, 1))
    if not changed.any():
        return None
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def stacked(before: Any, stages: Sequence[Stage]) -> list[Any]:
    """Return the samples before all attacks, then after each."""
    return [before, *(stage.samples for stage in stages)]
