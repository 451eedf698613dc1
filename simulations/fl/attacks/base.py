"""What an attack is: a data attack poisons what a client trains on, a weight attack what it sends.

An attack is built once per schedule entry and shared by all its clients and rounds; every draw
comes from the generator it is handed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from torch import Tensor

Modality = Literal["image", "text", "any"]
Images = NDArray[np.float32]
Labels = NDArray[np.int64]
UNLABELLED = -1


class AttackParams(BaseModel):
    """Settings of an attack beside those that every schedule entry has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Setup:
    """What an attack may know before the run: the task, and a generator for its one-time draws."""

    num_classes: int
    rng: np.random.Generator


@dataclass(frozen=True)
class Layout:
    """Where each tensor lies in the flat vector: (name, offset, number of elements)."""

    tensors: tuple[tuple[str, int, int], ...]


class Attack(ABC):
    """Base of both kinds; `paper` is the source, as an arXiv id or a short citation.

    An attack that `needs_labels` does nothing where samples have none, as in language modelling.
    """

    kind: ClassVar[Literal["data", "weight"]]
    modality: ClassVar[Modality] = "any"
    needs_labels: ClassVar[bool] = False
    summary: ClassVar[str]
    paper: ClassVar[str]
    Params: ClassVar[type[AttackParams]] = AttackParams

    def __init__(self, params: Any, setup: Setup) -> None:
        self.params = params
        self.setup = setup

    @property
    def settings(self) -> dict[str, Any]:
        """The attack's own parameters as JSON values, without those of its schedule entry."""
        own = set(self.Params.model_fields)
        settings: dict[str, Any] = self.params.model_dump(mode="json", include=own)
        return settings


class DataAttack(Attack):
    """Poisons the samples a client trains on in a round."""

    kind = "data"

    @abstractmethod
    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        """Return poisoned copies of `samples` and `labels`; the originals stay as they are.

        Images are float32 (m, channels, height, width) in [0, 1]; texts are a list of m strings.
        """

    def success_set(self, samples: Any, labels: Labels) -> tuple[Any, Labels] | None:
        """Return test samples and the labels the attacker wants for them.

        None when the attack has no such goal, or no test sample serves it.
        """
        return None


class WeightAttack(Attack):
    """Forges the vector a client sends, after its honest local training."""

    kind = "weight"

    @abstractmethod
    def forge(
        self, trained: Tensor, start: Tensor, layout: Layout, rng: np.random.Generator
    ) -> Tensor:
        """Return what is sent instead of `trained`; `start` is the global vector, both (d,)."""
