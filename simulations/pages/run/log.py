"""The end of the log: searched, filtered by level, with colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulations.log_lines import Entry, Place, entries
from simulations.pages.run import ansi
from simulations.pages.run.asked import Asked
from simulations.streams.log_file import LogFile

SHOWN = 500
TAIL_BYTES = 256 << 10
SEARCHED_BYTES = 2 << 20
MAX_MESSAGE = 8_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
RANKS = {name: rank for rank, name in enumerate((*LEVELS, "CRITICAL"))}


@dataclass(frozen=True)
class Line:
    """An entry as it is shown: pieces of its message with the classes of their styles."""

    timestamp: str
    level: str
    pieces: list[tuple[str, str]]


def context(about: Asked) -> dict[str, Any]:
    search, level = about.text("search"), about.text("level")
    level = level if level in LEVELS else LEVELS[0]
    log = LogFile(about.run_dir)
    size = log.size() or 0
    is_filtered = bool(search) or level != LEVELS[0]
    start = max(0, size - (SEARCHED_BYTES if is_filtered else TAIL_BYTES))
    read = list(_read(log, start, size, is_ended=not about.is_active))
    end = read[-1][1] if read else Place(start, start)
    found = [one for one, _ in read if matches(one, search, level)]
    return {
        "lines": [_line(entry) for entry in found[-SHOWN:]],
        "log_end": f"{end.offset}-{end.start}",
        "log_bytes": size,
        "log_start": start,
        "is_cut": start > 0 or len(found) > SHOWN,
        "is_filtered": is_filtered,
        "levels": LEVELS,
        "level": level,
        "search": search,
        "shown_at_most": SHOWN,
    }


def matches(entry: Entry, search: str, level: str) -> bool:
    """Tell whether an entry is of this level or a graver one and has the text in any case."""
    rank = RANKS.get(entry.head.level, RANKS["INFO"])
    return rank >= RANKS[level] and search.casefold() in ansi.plain(entry.message).casefold()


def _read(log: LogFile, start: int, size: int, *, is_ended: bool) -> Iterator[tuple[Entry, Place]]:
    """Yield the entries, each with the place after it; of a run that goes on whole lines only."""
    chunk = log.read(start, size - start)
    if start:  # What stands before the first line end is the rest of a line.
        cut = chunk.find(b"\n") + 1
        start, chunk = start + cut, chunk[cut:]
    place = Place(start, start)
    yield from entries(chunk, place, is_quiet=True, is_end=is_ended, is_full=False)


def _line(entry: Entry) -> Line:
    message = entry.message
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]} …"
    timestamp = (entry.head.timestamp or "").partition("+")[0].replace("T", " ")
    return Line(timestamp, entry.head.level, list(ansi.pieces(message)))
