"""The beginning of a file as text, as a table, or as a picture."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from simulations import result_files

MAX_BYTES = 64 << 10
MAX_ROWS = 100
MAX_COLUMNS = 40
TEXTS = frozenset({".json", ".txt", ".log", ".tex", ".bib"})


@dataclass(frozen=True)
class Preview:
    """What is shown of a file: `problem`, a picture, a table, or text; none for PDF and HTML."""

    name: str
    problem: str = ""
    is_picture: bool = False
    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    text: str = ""
    is_cut: bool = False


def preview(run_dir: Path, name: str) -> Preview:
    """Look into a file that may be fetched; at most MAX_BYTES of it are read."""
    suffix = PurePosixPath(name).suffix.lower()
    try:
        with result_files.open_file(run_dir, name) as opened:
            if suffix == ".png":
                return Preview(name, is_picture=True)
            if suffix != ".csv" and suffix not in TEXTS:
                return Preview(name)
            content = opened.read(MAX_BYTES + 1)
    except (result_files.NoSuchFile, result_files.UnsupportedType) as error:
        return Preview(name, problem=str(error))
    is_cut = len(content) > MAX_BYTES
    text = content[:MAX_BYTES].decode("utf-8", "replace")
    if suffix == ".csv":
        return _table(name, text, is_cut)
    return Preview(name, text=text if is_cut else _indented(text, suffix), is_cut=is_cut)


def _table(name: str, text: str, is_cut: bool) -> Preview:
    whole = text[: text.rfind("\n") + 1] if is_cut else text
    try:
        rows = list(csv.reader(io.StringIO(whole, newline="")))
    except csv.Error:
        return Preview(name, text=text, is_cut=is_cut)
    headings = rows[0][:MAX_COLUMNS] if rows else []
    shown = [row[:MAX_COLUMNS] for row in rows[1 : MAX_ROWS + 1]]
    is_cut = is_cut or len(rows) > MAX_ROWS + 1 or any(len(row) > MAX_COLUMNS for row in rows)
    return Preview(name, headings=headings, rows=shown, is_cut=is_cut)


def _indented(text: str, suffix: str) -> str:
    """Return JSON with a line for each value; a text that is none as it is."""
    if suffix != ".json":
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
