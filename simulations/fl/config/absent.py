"""Names of the specification whose implementation is not there yet: refused by name."""

from __future__ import annotations

from collections.abc import Iterable

from simulations.fl.config.spelling import unknown

DATASETS = frozenset(
    {"financial_phrasebank", "lexglue", "pubmed_classification_20k", "medal", "medquad"}
    | {"its", "flair", "lung_photos", "fashion_mnist", "reuters_r8", "newsgroups"}
    | {"femnist_niid"}
)
PARTITIONS = frozenset(
    {"pathological", "shard", "linear", "exponential", "square", "size", "natural_id"}
    | {"inner_dirichlet", "distribution"}
)


def refusal(kind: str, name: str, known: Iterable[str], absent: frozenset[str]) -> str:
    """Say that `name` is not available yet, or that nothing of that name is known."""
    known = sorted(known)
    if name in absent:
        allowed = ", ".join(known)
        return f"{kind} {name!r} is not available in this version yet; available are {allowed}"
    return unknown(kind, name, known)
