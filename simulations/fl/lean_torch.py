"""Load torch faster: a run starts a process of its own, and most of its start is this import.

A third of it are torch's descriptions in Python of what shapes its operations would give. They
serve its compiler and tensors without data; a run needs them only where a library builds such.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType

SHAPES = "torch._meta_registrations"


def load() -> None:
    """Import torch without its descriptions of shapes, unless it is imported already."""
    if "torch" in sys.modules:
        return
    sys.modules[SHAPES] = ModuleType(SHAPES)
    # Nothing that modules create is garbage, and each collection looks at all of it.
    gc.disable()
    try:
        importlib.import_module("torch")
        # Nor will it ever be, so later collections need not look at it either.
        gc.freeze()
    finally:
        gc.enable()
        del sys.modules[SHAPES]


def complete() -> None:
    """Import the descriptions as well, which is nothing where they are imported.

    To be called before the first use of torch.func or of tensors without data.
    """
    importlib.import_module(SHAPES)
