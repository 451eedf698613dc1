"""Figures of poisoned texts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simulations.fl.snapshots.figure import ATTACK, INK, MUTED, new_figure, plain_axes, set_title

MOST_WORDS = 15
MOST_SUBSTITUTES = 3
LONGEST = 24


def replaced_words(counts: Counter[tuple[str, str]], title: str) -> Figure:
    """Draw the words that were replaced most, each with its most frequent substitutes."""
    substitutes = _by_word(counts)
    top = sorted(substitutes, key=lambda word: (-substitutes[word].total(), word))[:MOST_WORDS]
    figure = new_figure(7.2, 1.5 + 0.3 * len(top))
    set_title(figure, title, f"{counts.total()} replacements of {len(substitutes)} words")
    axes = figure.subplots()
    plain_axes(axes)
    totals = [substitutes[word].total() for word in top]
    axes.barh(range(len(top)), totals, color=ATTACK, height=0.62)
    axes.set_xlim(0, 1.9 * max(totals))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks(range(len(top)), map(_short, top), fontsize=8, color=INK, parse_math=False)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    for place, word in enumerate(top):
        text = f"  → {_examples(substitutes[word])}"
        style: dict[str, Any] = {"va": "center", "fontsize": 8, "color": MUTED, "parse_math": False}
        axes.text(totals[place], place, text, **style)
    axes.set_xlabel("replaced occurrences in the client's samples", fontsize=9, color=INK)
    return figure


def _by_word(counts: Counter[tuple[str, str]]) -> dict[str, Counter[str]]:
    grouped: dict[str, Counter[str]] = {}
    for (before, after), count in counts.items():
        grouped.setdefault(before.lower(), Counter())[after.lower()] += count
    return grouped


def _examples(substitutes: Counter[str]) -> str:
    ordered = sorted(substitutes, key=lambda word: (-substitutes[word], word))
    named = ", ".join(_short(word) for word in ordered[:MOST_SUBSTITUTES])
    return f"{named}, …" if len(ordered) > MOST_SUBSTITUTES else named


def _short(text: str) -> str:
    flat = " ".join(text.split()) or "(nothing)"
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"
