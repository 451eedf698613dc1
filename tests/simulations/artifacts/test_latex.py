from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.artifacts.latex import Cell, Table, escape, tabular

PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"$\pm$": "±",
    r"$^\dagger$": "†",
    r"\dots{}": "…",
    "$-$": "−",
    "{[}": "[",
    "{*}": "*",
    "--": "–",
    "''": '"',
    **{f"\\{sign}": sign for sign in "{}$&%#_"},
}
TOKEN = re.compile("|".join(re.escape(known) for known in PRINTED) + r"|[^\\{}$&%#_^~\[*]", re.S)


def printed(latex: str) -> str:
    """Read LaTeX as TeX would print it; fail for a sign that TeX would take as its own."""
    result, at = "", 0
    while at < len(latex):
        token = TOKEN.match(latex, at)
        assert token, f"TeX would interpret {latex[at:]!r}"
        result += PRINTED.get(token.group(), token.group())
        at = token.end()
    return result


@given(st.text(st.characters(blacklist_characters="-'", blacklist_categories=["Cs"])))
def test_every_text_is_printed_as_it_is(text: str) -> None:
    assert printed(escape(text)) == " ".join(text.split())


@pytest.mark.parametrize("sign", list("_%&$#{}~^\\[*<>|"))
def test_special_signs_are_escaped(sign: str) -> None:
    assert escape(f"a{sign}b") != f"a{sign}b"
    assert printed(escape(f"a{sign}b")) == f"a{sign}b"


def test_a_table_has_a_row_for_each_strategy_and_marks_the_best() -> None:
    rows = [[Cell("krum_1"), Cell("96.5", is_best=True)], [Cell("[mean]"), Cell("–")]]
    lines = tabular(Table(["Strategy", "Accuracy (%)"], rows, ["† note 5 %"])).splitlines()
    assert lines[0].startswith(r"% Needs \usepackage{booktabs}")
    assert lines[1:] == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Strategy & Accuracy (\%) \\",
        r"\midrule",
        r"krum\_1 & \textbf{96.5} \\",
        r"{[}mean] & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip{\footnotesize $^\dagger$ note 5 \%}",
    ]
