"""Dotted paths of the tables, resolved when a run needs what they name."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def resolve_path(path: str) -> Any:
    """Return the object that `package.module:name` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
