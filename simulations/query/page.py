"""What the pages of /query show: rows as text with links, filters as fields, links to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from simulations.query.renderers import cell
from simulations.query.selection import PAGING

NUMERIC = int | float


@dataclass(frozen=True)
class Cell:
    """One value as text; `url` is where it leads, if anywhere."""

    text: str
    url: str = ""
    is_number: bool = False


def rows(
    resource: str, about: str, data: Mapping[str, Any], filterset: Any, request: Any
) -> dict[str, Any]:
    """Return the context of a page of rows."""
    given = request.query_params
    kept = given.copy()
    for name in ("format", *PAGING):
        kept.pop(name, None)
    query = f"?{kept.urlencode()}" if kept else ""
    return {
        "resource": resource,
        "about": about,
        "headings": list(data["results"][0]) if data["results"] else [],
        "rows": [_cells(resource, row) for row in data["results"]],
        "next": data["next"],
        "previous": data["previous"],
        "filters": list(filterset.form),
        "ordering": given.get("ordering", ""),
        "fields": given.get("fields", ""),
        "num_set": sum(bool(value) for value in kept.values()),
        "csv_url": f"/query/{resource}.csv{query}",
        "json_url": f"/query/{resource}.json{query}",
    }


def row(resource: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of the page of one row."""
    return {
        "resource": resource,
        "values": list(zip(data, _cells(resource, data), strict=True)),
    }


def _cells(resource: str, data: Mapping[str, Any]) -> list[Cell]:
    return [_cell(resource, name, value) for name, value in data.items()]


def _cell(resource: str, name: str, value: Any) -> Cell:
    text = value if isinstance(value, str) else cell(value)
    if name == "simulation_id":
        return Cell(text, reverse("simulations:detail", args=[text]))
    if name == "id":
        return Cell(text, f"/query/{resource}/{text}/", is_number=True)
    return Cell(text, is_number=isinstance(value, NUMERIC) and not isinstance(value, bool))
