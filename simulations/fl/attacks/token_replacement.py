"""Token replacement: domain terms in training texts give way to misleading ones.

Replacing a small share of medical terms is enough to teach a language model falsehoods
(Alber et al. 2025, Nature Medicine 31, doi 10.1038/s41591-024-03445-1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from simulations.fl.attacks.base import AttackParams, DataAttack, Labels, Setup
from simulations.fl.attacks.vocabularies import VOCABULARIES


@dataclass(frozen=True)
class Replacement:
    """A term and what stands for it; `start` is its first character in the original text."""

    start: int
    before: str
    after: str


class TokenReplacement(DataAttack):
    """Replaces each occurrence of a term with probability replacement_prob, keeping its case.

    Terms are whole words or phrases; at each place the longest one counts. With `negative`, a term
    without an opposite in the vocabulary stays.
    """

    modality = "text"
    summary = "Replaces terms of a domain in the texts by misleading ones."
    paper = "Alber et al. 2025"

    class Params(AttackParams):
        target_vocabulary: Literal["medical", "financial", "legal"] = Field(
            "medical", description="Domain whose terms are replaced."
        )
        replacement_strategy: Literal["random", "negative", "cross_domain"] = Field(
            "random",
            description="By any term of the domain, its opposite, or a term of another domain.",
        )
        replacement_prob: float = Field(
            0.2, gt=0, le=1, description="Probability that an occurrence of a term is replaced."
        )

    params: Params

    def __init__(self, params: Params, setup: Setup) -> None:
        super().__init__(params, setup)
        vocabulary = VOCABULARIES[params.target_vocabulary]
        self._candidates = _candidates(params)
        self._pattern = _any_of(vocabulary.terms)

    def poison(self, samples: Any, labels: Labels, rng: np.random.Generator) -> tuple[Any, Labels]:
        poisoned = [apply(text, self.replacements(text, rng)) for text in samples]
        return poisoned, labels.copy()

    def replacements(self, text: str, rng: np.random.Generator) -> list[Replacement]:
        """Draw what `poison` would replace in `text` with the same generator."""
        return [
            Replacement(match.start(), match[0], self._draw(match[0], rng))
            for match in self._pattern.finditer(text)
            if rng.random() < self.params.replacement_prob and _key(match[0]) in self._candidates
        ]

    def _draw(self, occurrence: str, rng: np.random.Generator) -> str:
        candidates = self._candidates[_key(occurrence)]
        return in_case_of(occurrence, candidates[rng.integers(len(candidates))])


def apply(text: str, replacements: Iterable[Replacement]) -> str:
    """Return `text` with the replacements, which are in order, made."""
    pieces, end = [], 0
    for replacement in replacements:
        pieces += [text[end : replacement.start], replacement.after]
        end = replacement.start + len(replacement.before)
    return "".join([*pieces, text[end:]])


def in_case_of(occurrence: str, term: str) -> str:
    """Return the lower-case `term` written like `occurrence`: lower, Title or UPPER case."""
    if occurrence.isupper():
        return term.upper()
    if " " in occurrence and occurrence.istitle():
        return " ".join(word.capitalize() for word in term.split(" "))
    return term.capitalize() if occurrence[0].isupper() else term


def _key(occurrence: str) -> str:
    return " ".join(occurrence.lower().split())


def _any_of(terms: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(terms, key=lambda term: (-len(term), term))
    choices = "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in longest_first)
    return re.compile(rf"(?<![\w-])(?:{choices})(?![\w-])", re.IGNORECASE)


def _candidates(params: TokenReplacement.Params) -> dict[str, tuple[str, ...]]:
    """Return what each term may be replaced by under the strategy."""
    own = VOCABULARIES[params.target_vocabulary]
    if params.replacement_strategy == "negative":
        return {term: (opposite,) for term, opposite in own.opposites.items()}
    if params.replacement_strategy == "random":
        return {term: tuple(t for t in own.terms if t != term) for term in own.terms}
    foreign = {t for vocabulary in VOCABULARIES.values() for t in vocabulary.terms} - set(own.terms)
    return dict.fromkeys(own.terms, tuple(sorted(foreign)))
