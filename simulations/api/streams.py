"""Runs as they go, by Server-Sent Events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Header, Query, Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from simulations import selectors
from simulations.api.describe import execution_status
from simulations.artifacts import folder
from simulations.models import Simulation
from simulations.streams.cursor import Cursor, InvalidCursor
from simulations.streams.follow import follow
from simulations.streams.hub import running_hub
from simulations.streams.log_file import LogFile
from simulations.streams.look import Look, Run
from simulations.streams.sources import Source, log_entries, output

router = Router(tags=["Simulations"])
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class After(Schema):
    """Where to go on, for clients that set no header."""

    after: str = Field("", description="Id of the last event received, or a byte of the log.")


class LastEvent(Schema):
    """Where to go on, as browsers tell it; it has precedence over `after`."""

    last_event_id: str = Field("", alias="Last-Event-ID", description="Set by browsers.")


def _documented(example: str) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}
    return {"responses": {200: {"description": "Server-Sent Events", "content": content}}}


OUTPUT_EXAMPLE = """\
event: status
id: 0-3f1c8a52b07e
data: {"status":"running","progress":0.25,"current_round":1,"total_rounds":4,\
"current_strategy":0,"total_strategies":1,"error":null}

event: output
id: 52-3f1c8a52b07e
data: {"text":"2026-11-24T06:00:00.123 INFO Round 2 of 4 begins.\\n"}

event: done
id: 52-3f1c8a52b07e
data:

"""
ENTRIES_EXAMPLE = """\
event: log
id: 52-0
data: {"timestamp":"2026-11-24T06:00:00.123+00:00","level":"INFO",\
"message":"Round 2 of 4 begins."}

event: done
id: 52-0
data:

"""


@router.get("/simulations/{simulation_id}/stream", openapi_extra=_documented(OUTPUT_EXAMPLE))
async def stream_simulation(
    request: HttpRequest,
    simulation_id: str,
    query: Query[After],
    header: Header[LastEvent],
) -> HttpResponseBase:
    """Stream the status, at first and whenever it changes, and the text of the log.

    `done` is the last event. A broken stream goes on where it was, by the id of the last event.
    """
    run = await _look_up(simulation_id)
    return _respond(request, run, output, header.last_event_id or query.after)


@router.get("/simulations/{simulation_id}/logs", openapi_extra=_documented(ENTRIES_EXAMPLE))
async def stream_logs(
    request: HttpRequest,
    simulation_id: str,
    query: Query[After],
    header: Header[LastEvent],
) -> HttpResponseBase:
    """Stream the log's entries; a trace belongs to the message of the entry before it.

    `done` is the last event. A broken stream goes on where it was, by the id of the last event.
    """
    run = await _look_up(simulation_id)
    return _respond(request, run, log_entries, header.last_event_id or query.after)


def _respond(request: HttpRequest, run: Run, source: Source, after: str) -> HttpResponseBase:
    try:
        cursor = Cursor.parse(after) if after else Cursor()
    except InvalidCursor as error:
        raise HttpError(400, str(error)) from None
    # The middleware that answers HEAD by GET leaves the original here.
    if request.META["REQUEST_METHOD"] == "HEAD":
        return HttpResponse(content_type=MEDIA_TYPE, headers=HEADERS)
    frames = follow(running_hub(_statuses), run, source, cursor)
    return StreamingHttpResponse(frames, content_type=MEDIA_TYPE, headers=HEADERS)


async def _look_up(simulation_id: str) -> Run:
    run: Run = await database_sync_to_async(_seen)(simulation_id)
    return run


def _seen(simulation_id: str) -> Run:
    row = selectors.simulation(simulation_id)
    log = LogFile(folder.run_dir(simulation_id))
    return Run(row.pk, log, Look(execution_status(row), log.size()))


def _statuses(pks: Collection[int]) -> dict[int, dict[str, Any]]:
    rows = Simulation.objects.filter(pk__in=pks).defer("config", "warnings", "notes")
    return {row.pk: execution_status(row) for row in rows}
