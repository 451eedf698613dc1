"""Markdown made into inert HTML, and text made into inert Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import nh3
from markdown_it import MarkdownIt

from simulations.assistant.bounds import MAX_ANSWER, clip

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
OWN_PAGE = re.compile(
    r"/(simulations|assistant|queue|datasets|system|query)/[\w./?=&,#-]*", re.ASCII
)
MARKS = re.compile(r"([\\`*_\[\]<>|~&!#])")
START = re.compile(r"^(\d*)([-+=.)])")


def html(text: str) -> str:
    """Render Markdown: no raw HTML, no images, no styles, links to this server's pages only."""
    parser = _parser()
    tokens = parser.parse(clip(text, MAX_ANSWER))
    for token in tokens:
        if token.type.startswith("heading"):
            # The page itself has the headings above.
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    rendered = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href"}},
        attribute_filter=_kept,
        url_schemes=set(),
        link_rel=None,
    )


def plain(value: Any) -> str:
    """Return text of whatever origin as one line of Markdown that shows just that text."""
    line = " ".join(str(value).split())
    return START.sub(r"\1\\\2", MARKS.sub(r"\\\1", line))


def code(value: Any) -> str:
    """Return one line of text as code."""
    line = " ".join(str(value).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def block(text: str, language: str = "") -> str:
    """Return lines of text as a block of code."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def link(text: Any, path: str) -> str:
    return f"[{plain(text)}]({path})"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    return value if OWN_PAGE.fullmatch(value) and not re.search(r"//|\.\.", value) else None


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    return parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
