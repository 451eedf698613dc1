"""The files of a run, a page at a time, and one of them looked into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

from simulations import result_files
from simulations.pages.run import previews
from simulations.pages.run.asked import Asked

PAGE_SIZE = 200


@dataclass(frozen=True)
class ListedFile:
    """A file that can be fetched; size and time are None where it has gone meanwhile."""

    name: str
    address: str
    query: str
    size: int | None
    changed_at: datetime | None


def context(about: Asked) -> dict[str, Any]:
    view = "figures" if about.text("view") == "figures" else "list"
    names = _matching(about)
    if view == "figures":
        names = [name for name in names if name.startswith("plots/") and _is_picture(name)]
    pages = max(1, -(-len(names) // PAGE_SIZE))
    page = min(max(1, about.number("page", 1)), pages)
    shown = [_listed(about, name) for name in names[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
    wanted = about.text("file")
    return {
        "files": shown,
        "view": view,
        "search": about.text("search"),
        "preview": previews.preview(about.run_dir, wanted) if wanted else None,
        "preview_address": _address(about, wanted),
        "page": page,
        "pages": pages,
        "query": urlencode({"tab": "files", "view": view, "search": about.text("search")}),
    }


def _matching(about: Asked) -> list[str]:
    search = about.text("search").casefold()
    return [name for name in result_files.listed(about.run_dir) if search in name.casefold()]


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() == ".png"


def _address(about: Asked, name: str) -> str:
    return f"/api/simulations/{about.row.simulation_id}/results/{quote(name)}"


def _listed(about: Asked, name: str) -> ListedFile:
    size, changed_at = _measured(about.run_dir / name)
    return ListedFile(
        name=name,
        address=_address(about, name),
        query=urlencode({"tab": "files", "file": name}),
        size=size,
        changed_at=changed_at,
    )


def _measured(path: Path) -> tuple[int | None, datetime | None]:
    try:
        told = path.lstat()
    except FileNotFoundError:
        return None, None
    return told.st_size, datetime.fromtimestamp(told.st_mtime, UTC)
