"""The list of simulations: filtered, sorted, acted on; its state is in the address."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from simulations import selectors, services
from simulations.chunks import Chunks
from simulations.fl.attacks import ATTACKS
from simulations.fl.errors import StorageError
from simulations.models import Simulation, Status
from simulations.spreadsheet import inert

PAGE_SIZE = 50
WHOLE = 1000
"""A longer table is streamed."""
LINES_A_CHUNK = 500
REFRESH_S = 5
MAX_SELECTED = 10_000
MAX_COMPARED = 20
UNDO = "archived_last"
TEXTS = ("search", "status", "strategy", "dataset", "attack", "tag")
COLUMNS = {
    "display_name": ("Name", ""),
    "status": ("Status", ""),
    "progress": ("Progress", ""),
    "strategy_name": ("Strategy", ""),
    "dataset_keyword": ("Dataset", ""),
    "num_of_rounds": ("Rounds", "number"),
    "num_of_clients": ("Clients", "number"),
    "created_at": ("Created (UTC)", ""),
}
TABLE = (
    *("simulation_id", "display_name", "status", "progress", "strategy_name", "dataset_keyword"),
    *("attack_types", "num_of_rounds", "num_of_clients", "num_of_strategies", "tags"),
    *("lowest_accuracy", "highest_accuracy", "created_at"),
)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show one page of the simulations that match."""
    number = _page_number(request.GET)
    offset = (number - 1) * PAGE_SIZE
    filters = _filters(request.GET, limit=PAGE_SIZE, offset=offset)
    found = selectors.listing(filters)
    accuracies = selectors.accuracies([row["simulation_id"] for row in found.rows])
    chosen = {name: getattr(filters, name) for name in TEXTS if getattr(filters, name)}
    state = {**chosen, **({"archived": "1"} if filters.archived else {})}
    context = {
        "rows": [{**row, "accuracy": accuracies.get(row["simulation_id"])} for row in found.rows],
        "total": found.total,
        "filters": filters,
        "choices": _choices(),
        "is_filtered": bool(state),
        "query": urlencode({**state, "ordering": filters.ordering}),
        "headings": [_heading(name, state, filters.ordering) for name in COLUMNS],
        "undo": request.session.pop(UNDO, None) if UNDO in request.session else None,
        "page": number,
        "pages": max(1, -(-found.total // PAGE_SIZE)),
        "refresh_s": REFRESH_S if selectors.has_active() else None,
    }
    return render(request, "simulations/list.html", context)


@require_safe
def table_csv(request: HttpRequest) -> HttpResponseBase:
    """Give all that match, not only one page, as a table for spreadsheets."""
    filters = _filters(request.GET)
    lines = _lines(selectors.summaries(filters))
    headers = {"Content-Disposition": 'attachment; filename="simulations.csv"'}
    content_type = "text/csv; charset=utf-8"
    if selectors.count(filters) > WHOLE:
        return StreamingHttpResponse(Chunks(lines), content_type=content_type, headers=headers)
    return HttpResponse(b"".join(lines), content_type=content_type, headers=headers)


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield the table, some hundred lines at a time."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, TABLE, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    while batch := list(islice(rows, LINES_A_CHUNK)):
        accuracies = selectors.accuracies([row["simulation_id"] for row in batch])
        for row in batch:
            lowest, highest = accuracies.get(row["simulation_id"], (None, None))
            cells = {**row, "lowest_accuracy": lowest, "highest_accuracy": highest}
            cells |= {"tags": ", ".join(row["tags"]), "created_at": row["created_at"].isoformat()}
            writer.writerow({name: inert(value) for name, value in cells.items()})
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


@require_POST
def selected(request: HttpRequest) -> HttpResponse:
    """Do something to the selected simulations; what cannot be undone is asked about first."""
    ids = list(dict.fromkeys(request.POST.getlist("simulation_id")))[:MAX_SELECTED]
    action = ACTIONS.get(request.POST.get("action", ""))
    if not ids or action is None:
        messages.error(request, "Select simulations, and what to do with them.")
        return _back(request)
    return action(request, ids)


def _stop(request: HttpRequest, ids: Sequence[str]) -> HttpResponse:
    rows = list(Simulation.objects.filter(simulation_id__in=ids))
    services.stop_many(rows)
    stopped = Simulation.objects.filter(simulation_id__in=ids, status=Status.STOPPED).count()
    messages.success(request, f"{stopped} of {len(ids)} are stopped.")
    return _back(request)


def _delete(request: HttpRequest, ids: Sequence[str]) -> HttpResponse:
    if request.POST.get("is_sure") != "yes":
        context = {"ids": ids, "query": request.POST.get("query", "")}
        return render(request, "simulations/delete.html", context)
    try:
        deleted, failed = services.delete_many(ids)
    except StorageError as error:
        messages.error(request, f"{error}.")
        return _back(request)
    messages.success(request, f"Deleted {len(deleted)}.")
    for one in failed:
        messages.warning(request, f"{one['simulation_id']} is kept: {one['error']}.")
    return _back(request)


def _archive(request: HttpRequest, ids: Sequence[str]) -> HttpResponse:
    services.archive(ids)
    request.session[UNDO] = list(ids)
    return _back(request)


def _unarchive(request: HttpRequest, ids: Sequence[str]) -> HttpResponse:
    messages.success(request, f"Shown again: {services.unarchive(ids)}.")
    return _back(request)


def _compare(request: HttpRequest, ids: Sequence[str]) -> HttpResponse:
    if len(ids) > MAX_COMPARED:
        messages.error(request, f"At most {MAX_COMPARED} can be compared, not {len(ids)}.")
        return _back(request)
    return redirect(f"/simulations/compare/?{urlencode({'ids': ','.join(ids)})}")


ACTIONS: dict[str, Callable[[HttpRequest, Sequence[str]], HttpResponse]] = {
    "stop": _stop,
    "delete": _delete,
    "archive": _archive,
    "unarchive": _unarchive,
    "compare": _compare,
}


def _filters(query: QueryDict, limit: int | None = None, offset: int = 0) -> selectors.Filters:
    """Read the filters; what is none filters nothing, so that an old address still shows a list."""
    texts = {name: query.get(name, "").replace("\0", "")[:200] for name in TEXTS}
    if texts["status"] not in Status.values:
        texts["status"] = ""
    ordering = query.get("ordering", "")
    if ordering.removeprefix("-") not in selectors.ORDERINGS:
        ordering = "-created_at"
    is_archive = query.get("archived") == "1"
    return selectors.Filters(
        **texts, archived=is_archive, ordering=ordering, limit=limit, offset=offset
    )


def _choices() -> dict[str, Sequence[str]]:
    return {**selectors.choices(), "status": Status.values, "attack": sorted(ATTACKS)}


def _heading(name: str, state: dict[str, str], ordering: str) -> dict[str, Any]:
    """Return a heading whose link sorts by its column, the other way round at a second click."""
    title, style = COLUMNS[name]
    is_sorted = ordering.removeprefix("-") == name
    turned = name if ordering == f"-{name}" else f"-{name}"
    return {
        "title": title,
        "style": style,
        "query": urlencode({**state, "ordering": turned}),
        "sort": ("descending" if ordering.startswith("-") else "ascending") if is_sorted else None,
    }


def _back(request: HttpRequest) -> HttpResponse:
    query = QueryDict(request.POST.get("query", "")[:2000]).urlencode()
    return redirect(f"/simulations/?{query}" if query else "/simulations/")


def _page_number(query: QueryDict) -> int:
    given = query.get("page", "")
    is_number = given.isascii() and given.isdigit() and len(given) < 9
    return max(1, int(given)) if is_number else 1
