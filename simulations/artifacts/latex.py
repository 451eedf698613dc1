"""Tables for papers: booktabs, with every name escaped, so that they compile whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PREAMBLE = "% Needs \\usepackage{booktabs}. Made from the recorded rows; edits are overwritten."
SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        # After the end of a row these two would be read as its arguments.
        "[": "{[}",
        "*": "{*}",
        "±": r"$\pm$",
        "†": r"$^\dagger$",
        "–": "--",
        "−": "$-$",
        "…": r"\dots{}",
        **{sign: f"\\{sign}" for sign in "{}$&%#_"},
    }
)


@dataclass(frozen=True)
class Cell:
    """A table's cell; the best of its column is set in bold."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Table:
    """Headings, rows and notes below; the first column is text, the others are numbers or text."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    numeric: bool = True


def escape(text: str) -> str:
    """Return `text` so that LaTeX prints it, on one line."""
    return " ".join(text.split()).translate(SPECIAL)


def tabular(table: Table) -> str:
    """Return the table as a `tabular` environment, its notes after it."""
    columns = "l" + ("r" if table.numeric else "l") * (len(table.headings) - 1)
    lines = [PREAMBLE, f"\\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [_row([escape(heading) for heading in table.headings]), r"\midrule"]
    lines += [_row([_cell(cell) for cell in row]) for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [f"\\par\\smallskip{{\\footnotesize {escape(note)}}}" for note in table.notes]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    return f"\\textbf{{{text}}}" if cell.is_best else text
