"""What docs/ says of a strategy or an attack."""

from __future__ import annotations

import re
from functools import cache

from intellifl.environment import ROOT

DOCS = ROOT / "docs"
STRATEGIES = "strategies.md"
ATTACKS = "attacks.md"
REMOVAL = re.compile(r"Removal[^:]*: (.+?\.)(?:\s|$)")


@cache
def sections(file_name: str) -> dict[str, str]:
    """Return the text under each heading of the second level."""
    text = (DOCS / file_name).read_text(encoding="utf-8")
    _, *parts = re.split(r"^## +", text, flags=re.MULTILINE)
    pairs = (part.partition("\n") for part in parts)
    return {heading.strip(): body.strip() for heading, _, body in pairs}


def removal_rule(strategy: str) -> str:
    """Return the sentence that says whom a strategy removes, empty if there is none."""
    found = REMOVAL.search(sections(STRATEGIES).get(strategy, ""))
    return found.group(1) if found else ""
