"""Why a use case refuses."""

from __future__ import annotations


class NotAllowed(Exception):
    """The simulation's state does not allow this; the message says why."""


class InvalidName(Exception):
    """The display name is empty or too long."""


class InvalidLabels(Exception):
    """Name, tags or notes are too long; `problems` has a sentence for each field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems
