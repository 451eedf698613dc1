"""Vocabularies of domains by name, for attacks on text; all terms are lower case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulations.fl.attacks.vocabularies import financial, legal, medical


@dataclass(frozen=True)
class Vocabulary:
    """Terms of a domain, and the opposite of those that have one."""

    terms: tuple[str, ...]
    opposites: Mapping[str, str]


VOCABULARIES: dict[str, Vocabulary] = {
    "medical": Vocabulary(medical.TERMS, medical.OPPOSITES),
    "financial": Vocabulary(financial.TERMS, financial.OPPOSITES),
    "legal": Vocabulary(legal.TERMS, legal.OPPOSITES),
}
