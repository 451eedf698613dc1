"""Text with terminal escapes as pieces with the names of their styles, for style sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

# Colours and styles; every other escape sequence; what else a terminal would not print.
STYLE = re.compile(r"\x1b\[([0-9;:]*)m")
ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|\Z)|\][^\x07\x1b]*(?:\x07|\x1b\\|\Z)"
    r"|[PX^_][^\x1b]*(?:\x1b\\|\Z)|[ -/]+[0-~]?|.|\Z)",
    re.DOTALL,
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)(?=[^\n])")
COLORS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
SWITCHES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike"}
OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 29: ("strike",)}


@dataclass(frozen=True)
class Pen:
    """How text is written at a place."""

    switches: frozenset[str] = frozenset()
    color: str = ""
    ground: str = ""

    @property
    def classes(self) -> str:
        color = f"ansi-{self.color}" if self.color else ""
        ground = f"ansi-on-{self.ground}" if self.ground else ""
        names = [*(f"ansi-{name}" for name in sorted(self.switches)), color, ground]
        return " ".join(name for name in names if name)


def plain(text: str) -> str:
    """Return the text without any escape, as a terminal would show it in the end."""
    return CONTROL.sub("", ESCAPE.sub("", OVERWRITTEN.sub("", text)))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield (classes, text); neither is escaped for HTML."""
    pen, at = Pen(), 0
    text = OVERWRITTEN.sub("", text)
    for found in STYLE.finditer(text):
        yield from _piece(pen, text[at : found.start()])
        pen, at = _moved(pen, found[1]), found.end()
    yield from _piece(pen, text[at:])


def _piece(pen: Pen, text: str) -> Iterator[tuple[str, str]]:
    shown = plain(text)
    if shown:
        yield pen.classes, shown


def _moved(pen: Pen, codes: str) -> Pen:
    """Return the pen after the codes of one escape; an empty code is 0."""
    parts = re.split("[;:]", codes)
    numbers: Sequence[int] = [int(part) if 0 < len(part) < 5 else 0 for part in parts]
    while numbers:
        pen, numbers = _step(pen, numbers[0], numbers[1:])
    return pen


def _step(pen: Pen, code: int, rest: Sequence[int]) -> tuple[Pen, Sequence[int]]:
    """Apply one code; return what is left of the others."""
    if code == 0:
        return Pen(), rest
    if code in SWITCHES:
        return replace(pen, switches=pen.switches | {SWITCHES[code]}), rest
    if code in OFF:
        return replace(pen, switches=pen.switches - set(OFF[code])), rest
    if code in (38, 48):
        color, rest = _extended(rest)
        changed = replace(pen, color=color) if code == 38 else replace(pen, ground=color)
        return changed, rest
    if 30 <= code <= 39 or 90 <= code <= 97:
        return replace(pen, color=_color(code % 10, code >= 90)), rest
    if 40 <= code <= 49 or 100 <= code <= 107:
        return replace(pen, ground=_color(code % 10, code >= 100)), rest
    return pen, rest


def _extended(rest: Sequence[int]) -> tuple[str, Sequence[int]]:
    """Return one of the sixteen named colours; of others none, but their numbers are taken."""
    if rest[:1] == [5]:
        number = rest[1] if len(rest) > 1 else 16
        return (_color(number % 8, number > 7) if number < 16 else ""), rest[2:]
    return "", rest[4:] if rest[:1] == [2] else rest


def _color(number: int, is_bright: bool) -> str:
    """Return the name of a colour; 9 is that of the page."""
    if number > 7:
        return ""
    return f"bright-{COLORS[number]}" if is_bright else COLORS[number]
