"""What a person asks, and what was said before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Question:
    """What was asked, and the simulation on whose page."""

    text: str
    about: str = ""


@dataclass(frozen=True)
class Said:
    """Something that was said before in the conversation."""

    role: Literal["user", "assistant"]
    text: str
