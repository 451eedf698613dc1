"""Where on the page the sentences about a configuration belong."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from simulations.pages.new import paths


def placed(
    sentences: Iterable[str], places: Collection[str], is_structured: bool
) -> tuple[dict[str, list[str]], list[str]]:
    """Sort sentences of the form `path: message` to their fields; return them, and the others.

    A sentence about a part of a field, or about a setting that a strategy inherits, stands with
    that field and keeps its path.
    """
    found: dict[str, list[str]] = {}
    general: list[str] = []
    for sentence in sentences:
        path, colon, message = sentence.partition(": ")
        inner = paths.in_form(path, is_structured)
        place = _place(inner, places) if colon else None
        if place is None:
            general.append(sentence)
        else:
            found.setdefault(place, []).append(message if place == inner else sentence)
    return found, general


def _place(path: str, places: Collection[str]) -> str | None:
    """Return the nearest place: of the path, of what it is part of, of what it inherits from."""
    prefix, inner = paths.split(path)
    for start in dict.fromkeys((prefix, "")):
        keys = inner.split(".")
        while keys:
            if (candidate := start + ".".join(keys)) in places:
                return candidate
            keys.pop()
    return path if path in places else None
