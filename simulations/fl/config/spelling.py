"""Near-miss suggestions for names people type."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 40


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is no known `kind`, with the nearest known name or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif len(names) <= MOST_LISTED:
        hint = f"allowed are {', '.join(names)}"
    else:
        hint = "docs/configuration.md lists the known ones"
    return f"unknown {kind} {name[:100]!r}; {hint}"
