"""Targeted label flipping: one class is taught as another (Tolpegin et al. 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from simulations.fl.attacks.base import AttackParams, DataAttack, Labels
from simulations.fl.attacks.selection import choose, copy_of, take


class TargetedLabelFlipping(DataAttack):
    """Relabels `flip_ratio` of the client's samples of the source class, at least one if any."""

    needs_labels = True
    summary = "Relabels samples of one class as another class."
    paper = "2007.08432"

    class Params(AttackParams):
        source_class: int = Field(ge=0, description="Class whose samples are relabelled.")
        target_class: int = Field(ge=0, description="Class they are relabelled to.")
        flip_ratio: float = Field(
            1.0, gt=0, le=1, description="Share of the source class's samples that is relabelled."
        )

        @field_validator("target_class")
        @classmethod
        def differs_from_source(cls, target: int, info: ValidationInfo) -> int:
            if target == info.data.get("source_class"):
                raise PydanticCustomError(
                    "same_class",
                    "must differ from source_class, both are {value}",
                    {"value": target},
                )
            return target

    params: Params

    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        flipped = labels.copy()
        sources = np.flatnonzero(labels == self.params.source_class)
        if len(sources):
            flipped[choose(self.params.flip_ratio, sources, rng)] = self.params.target_class
        return copy_of(samples), flipped

    def success_set(self, samples: Any, labels: Labels) -> tuple[Any, Labels] | None:
        """Return the test samples of the source class, which ought to be taken for the target."""
        sources = np.flatnonzero(labels == self.params.source_class)
        if not len(sources):
            return None
        return take(samples, sources), np.full(len(sources), self.params.target_class, np.int64)
