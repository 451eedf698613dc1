"""Imports as if optional packages were not installed, to keep the web process small.

Some libraries load whatever they find and have a use for. A name that is None in `sys.modules`
cannot be imported, which they take for a package that is not there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Hide these modules from what is imported within; those that are loaded already stay."""
    hidden = dict.fromkeys(name for name in names if name not in sys.modules)
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
