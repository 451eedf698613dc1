"""The engine: federated-learning simulations under attack, as a library without Django.

Importing this package loads neither torch nor any other training library; `aggregate`, the rules as
a function for notebooks, loads them when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["aggregate"]


def __getattr__(name: str) -> Any:
    if name == "aggregate":
        return import_module("simulations.fl.aggregation").aggregate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
