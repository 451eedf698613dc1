"""Wishes for a configuration, read out of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simulations.assistant import terms

MAX_DIGITS = 9
NUMBERS = {
    "num_of_rounds": r"(\d+)\s+(?:\w+\s+)?rounds?\b",
    "num_of_clients": r"(\d+)\s+clients?\b",
    "num_of_attackers": r"(\d+)\s+(?:\w+\s+){0,3}?(?:attackers?|malicious|byzantine|adversar\w+)\b",
    "first_attack_round": r"\b(?:from|after|starting)\s+(?:in\s+|at\s+)?round\s+(\d+)",
    "seed": r"\bseed\s*(?:=|:|of)?\s*(\d+)",
}
REMOVAL = re.compile(r"\bremov(?:e|es|ing|al)\b", re.IGNORECASE)
ATTACKED = re.compile(r"\b(?:attack\w*|malicious|byzantine|poison\w*)\b", re.IGNORECASE)
USUAL_ATTACK = "gradient_scaling"


def wishes(text: str) -> dict[str, Any]:
    """Return arguments for draft_config: keywords and numbers that the text mentions."""
    attacks, datasets = terms.attacks(text), terms.datasets(text)
    attack = attacks[0] if attacks else USUAL_ATTACK if _is_attacked(text) else ""
    return {
        "strategies": terms.strategies(text),
        "dataset": datasets[0] if datasets else "",
        "attack": attack,
        **{name: int(found[-MAX_DIGITS:]) for name, found in _numbers(text) if found},
        **({"remove_clients": True} if REMOVAL.search(text) else {}),
    }


def _is_attacked(text: str) -> bool:
    return bool(ATTACKED.search(text)) and not re.search(r"\b(?:no|without)\s+attack", text, re.I)


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    for name, pattern in NUMBERS.items():
        found = re.search(pattern, text, re.IGNORECASE)
        yield name, found.group(1) if found else ""
