"""The end of the log, and the colours in it."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from simulations.models import Simulation
from simulations.pages.run import ansi

Submit = Callable[..., Simulation]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", [("", "plain")]),
        ("\x1b[31mred\x1b[0m not", [("ansi-red", "red"), ("", " not")]),
        ("\x1b[1;92mgo\x1b[22mes\x1b[39m on", [("ansi-bold ansi-bright-green", "go"),
         ("ansi-bright-green", "es"), ("", " on")]),
        ("\x1b[44;37mx\x1b[49my", [("ansi-white ansi-on-blue", "x"), ("ansi-white", "y")]),
        ("\x1b[38;5;9ma\x1b[38;5;200mb\x1b[38;2;1;31;3mc", [("ansi-bright-red", "a"), ("", "b"),
         ("", "c")]),
        ("\x1b[mx\x1b[;4my", [("", "x"), ("ansi-underline", "y")]),
        ("a\x1b[2Kb\x1b]0;title\x07c\x1b(Bd\x00e", [("", "abcde")]),
        ("10 %\r20 %\r30 %", [("", "30 %")]),
        ("cut \x1b[3", [("", "cut ")]),
    ],
)  # fmt: skip
def test_escapes_become_styles_or_nothing(text: str, pieces: list[tuple[str, str]]) -> None:
    assert list(ansi.pieces(text)) == pieces


@given(st.text(alphabet=st.sampled_from("ab\x1b[]0123;m<>&\r\n\x07\x9b")))
def test_no_control_character_is_left_whatever_comes(text: str) -> None:
    shown = "".join(piece for _, piece in ansi.pieces(text))
    assert not set(shown) & {"\x1b", "\r", "\x07", "\x9b"}


@pytest.fixture
def logged(submit: Submit, out_dir: Path) -> Callable[..., Simulation]:
    def write(text: str) -> Simulation:
        row = submit()
        (out_dir / row.simulation_id / "output.log").write_text(text)
        return row

    return write


LOG = """\
2026-01-01T10:00:00.000 DEBUG looking for data
2026-01-01T10:00:01.000 INFO \x1b[32mround 1\x1b[0m done
2026-01-01T10:00:02.000 ERROR <b>it broke</b>
Traceback (most recent call last):
  File "x.py"
2026-01-01T10:00:03.000 WARNING nearly full
"""


def entries(client: Client, row: Simulation, query: str = "") -> list[str]:
    text = client.get(f"/simulations/{row.simulation_id}/?tab=log&{query}").content.decode()
    log = text[text.index('id="log"') :]
    return [unescape(part.split("</div>")[0]) for part in log.split('<div class="entry ')[1:]]


@pytest.mark.django_db
def test_entries_have_colours_and_levels_and_nothing_in_them_acts(
    client: Client, logged: Callable[..., Simulation]
) -> None:
    row = logged(LOG)
    raw = client.get(f"/simulations/{row.simulation_id}/?tab=log").content.decode()
    assert '<span class="ansi-green">round 1</span>' in raw and "\x1b" not in raw
    assert "<b>it broke" not in raw and "&lt;b&gt;it broke" in raw
    found = entries(client, row)
    assert [one.split('"')[0] for one in found] == ["debug", "info", "error", "warning"]
    assert 'File "x.py"' in found[2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "levels"),
    [
        ("level=WARNING", ["error", "warning"]),
        ("search=ROUND+1", ["info"]),
        ("search=traceback&level=ERROR", ["error"]),
        ("search=32m", []),
        ("level=nonsense", ["debug", "info", "error", "warning"]),
    ],
)
def test_entries_are_searched_and_filtered(
    client: Client, logged: Callable[..., Simulation], query: str, levels: list[str]
) -> None:
    found = entries(client, logged(LOG), query)
    assert [one.split('"')[0] for one in found] == levels


@pytest.mark.django_db
def test_of_a_long_log_the_end_is_shown(client: Client, logged: Callable[..., Simulation]) -> None:
    lines = (f"2026-01-01T10:00:00.000 INFO number {n:07}\n" for n in range(60_000))
    found = entries(client, logged("".join(lines)))
    assert len(found) == 500
    assert "number 0059999" in found[-1] and "number 0059500" in found[0]


@pytest.mark.django_db
def test_the_stream_goes_on_where_the_page_ends(
    client: Client, logged: Callable[..., Simulation]
) -> None:
    whole = LOG.encode()
    row = logged(LOG + "2026-01-01T10:00:04.000 INFO half a li")
    last = whole.rindex(b"2026-")
    text = client.get(f"/simulations/{row.simulation_id}/?tab=log").content.decode()
    assert f"/logs?after={len(whole)}-{last}" in text and "half a li" not in text
