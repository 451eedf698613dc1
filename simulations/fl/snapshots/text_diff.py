"""What changed in texts, word by word, and a page that shows it side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from html import escape

from simulations.fl.attacks.base import UNLABELLED
from simulations.fl.attacks.selection import Indices
from simulations.fl.snapshots.samples import Comparison

WORDS = re.compile(r"\w+|\s+|[^\w\s]")
STYLE = """
body { font: 15px/1.6 system-ui, sans-serif; color: #1f2933; margin: 2rem auto; max-width: 70rem;
       padding: 0 1rem; }
h1 { font-size: 1.3rem; } p { color: #66727f; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: 1px solid #dde3ea; padding: .6rem .8rem; text-align: left; vertical-align: top;
         overflow-wrap: anywhere; white-space: pre-wrap; }
th { background: #f5f7fa; } th:first-child, td:first-child { width: 5.5rem; }
del { background: #e2ecf7; color: #2b6cb0; text-decoration: none; border-radius: 3px; }
ins { background: #fbe3e3; color: #c53030; text-decoration: none; border-radius: 3px;
      font-weight: 600; }
"""


def pieces(before: str, after: str) -> list[tuple[str, str]]:
    """Split two versions of a text into pairs of pieces, equal where nothing changed."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        ("".join(old[start:end]), "".join(new[other_start:other_end]))
        for _, start, end, other_start, other_end in matcher.get_opcodes()
    ]


def replaced_words(comparison: Comparison) -> Counter[tuple[str, str]]:
    """Count the pieces (before, after) that differ, over all samples."""
    return Counter(
        pair
        for before, after in zip(comparison.before, comparison.after, strict=True)
        if before != after
        for pair in pieces(before, after)
        if pair[0] != pair[1]
    )


def page(comparison: Comparison, indices: Indices, title: str) -> str:
    """Return a self-contained page with the samples at `indices` before and after, side by side."""
    shown = comparison.at(indices)
    rows = "\n".join(
        _row(int(index), before, after, int(old), int(new))
        for index, before, after, old, new in zip(
            indices,
            shown.before,
            shown.after,
            shown.labels_before,
            shown.labels_after,
            strict=True,
        )
    )
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
<p>Replaced words are <del>blue</del> before and <ins>red</ins> after the attack.</p>
<table>
<tr><th>Sample</th><th>Before</th><th>After</th></tr>
{rows}
</table>
</body>
</html>
"""


def _row(index: int, before: str, after: str, old: int, new: int) -> str:
    parts = pieces(before, after)
    label = f"\nlabel {old}" if old == new else f"\nlabel {old} → <ins>{new}</ins>"
    label = "" if old == UNLABELLED else label
    return (
        f"<tr><td>#{index}{label}</td>"
        f"<td>{_marked(((a, a != b) for a, b in parts), 'del')}</td>"
        f"<td>{_marked(((b, a != b) for a, b in parts), 'ins')}</td></tr>"
    )


def _marked(parts: Iterable[tuple[str, bool]], tag: str) -> str:
    return "".join(
        f"<{tag}>{escape(text)}</{tag}>" if changed and text else escape(text)
        for text, changed in parts
    )
