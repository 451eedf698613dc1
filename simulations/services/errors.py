"""Why a use case refuses."""

from __future__ import annotations


class NotAllowed(Exception):
    """The simulation's state does not allow this; the message says why."""


class InvalidName(Exception):
    """The display name is empty or too long."""
