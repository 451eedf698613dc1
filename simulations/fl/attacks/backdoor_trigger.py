"""Backdoor trigger: a stamped patch that means the target class (BadNets, arXiv 1708.06733)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, DataAttack, Images, Labels, Setup
from simulations.fl.attacks.selection import choose
from simulations.fl.errors import DataError


class BackdoorTrigger(DataAttack):
    """Stamps a share of the samples, of whatever class, and labels them as the target class."""

    modality = "image"
    needs_labels = True
    summary = "Stamps a patch on a share of the images and labels them as the target class."
    paper = "1708.06733"

    class Params(AttackParams):
        target_class: int = Field(ge=0, description="Class that the trigger stands for.")
        trigger_pattern: Literal["square", "cross"] = Field(
            "square", description="Form of the patch: filled, or a line across and a line down."
        )
        trigger_size: int = Field(4, ge=1, le=1024, description="Side of the patch, in pixels.")
        trigger_position: Literal["bottom_right", "top_left", "center", "random"] = Field(
            "bottom_right", description="Where the patch lies; random is drawn once for the entry."
        )
        trigger_value: float = Field(1.0, ge=0, le=1, description="Brightness of the patch.")
        poison_ratio: float = Field(
            0.1, gt=0, le=1, description="Share of the samples that is stamped and relabelled."
        )

    params: Params

    def __init__(self, params: Params, setup: Setup) -> None:
        super().__init__(params, setup)
        self._place = setup.rng.random(2)

    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        stamped, relabelled = samples.copy(), labels.copy()
        chosen = choose(self.params.poison_ratio, np.arange(len(samples)), rng)
        stamped[chosen] = self.stamp(samples[chosen])
        relabelled[chosen] = self.params.target_class
        return stamped, relabelled

    def success_set(self, samples: Any, labels: Labels) -> tuple[Any, Labels] | None:
        """Return triggered test images of the other classes, which ought to become the target."""
        others = samples[labels != self.params.target_class]
        if not len(others):
            return None
        return self.stamp(others), np.full(len(others), self.params.target_class, np.int64)

    def stamp(self, images: Images) -> Images:
        """Return copies of `images` with the trigger on all channels."""
        size = self.params.trigger_size
        top, left = self.corner(*images.shape[2:])
        stamped = images.copy()
        patch = stamped[:, :, top : top + size, left : left + size]
        patch[..., self.pattern()] = self.params.trigger_value
        return stamped

    def pattern(self) -> NDArray[np.bool_]:
        """Return which pixels of the square patch are set, (trigger_size, trigger_size)."""
        size = self.params.trigger_size
        if self.params.trigger_pattern == "square":
            return np.ones((size, size), dtype=bool)
        cross = np.zeros((size, size), dtype=bool)
        cross[size // 2, :] = cross[:, size // 2] = True
        return cross

    def corner(self, height: int, width: int) -> tuple[int, int]:
        """Return the patch's top and left pixel; raise DataError if it does not fit."""
        size = self.params.trigger_size
        down, right = height - size, width - size
        if min(down, right) < 0:
            raise DataError(
                f"trigger_size {size} does not fit images of {height}x{width} pixels; "
                f"use at most {min(height, width)}"
            )
        places = {
            "bottom_right": (down, right),
            "top_left": (0, 0),
            "center": (down // 2, right // 2),
            "random": (int(self._place[0] * (down + 1)), int(self._place[1] * (right + 1))),
        }
        return places[self.params.trigger_position]
