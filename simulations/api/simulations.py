"""List, create, read, stop, rename and delete simulations."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Header, Query, Router, Status
from ninja.errors import HttpError

from simulations import lifecycle, result_files, selectors, services
from simulations.api import body
from simulations.api.config_schema import CONFIG_BODY
from simulations.api.describe import execution_status, strategy_summary, submitted_config
from simulations.api.json_response import array, json_response, json_stream
from simulations.api.schemas import (
    BulkDelete,
    BulkDeleted,
    Created,
    Detail,
    Done,
    ExecutionStatus,
    Idempotency,
    ListQuery,
    Rename,
    Renamed,
    Summary,
)
from simulations.artifacts import folder

router = Router(tags=["Simulations"])
WHOLE = 1000
"""A longer list is streamed, and has no ETag."""


@router.get("/simulations", response=list[Summary])
def list_simulations(request: HttpRequest, query: Query[ListQuery]) -> HttpResponseBase:
    """List simulations, newest first. The header X-Total-Count has the count of all matches."""
    filters = selectors.Filters(**query.dict())
    total = selectors.count(filters)
    rows = map(_listed, selectors.summaries(filters))
    is_long = min(total, filters.limit or total) > WHOLE
    response = json_stream(request, array(rows)) if is_long else json_response(list(rows))
    response["X-Total-Count"] = str(total)
    return response


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    listed = {**row, "created_at": row["created_at"].isoformat()}
    del listed["attack_types"]
    return listed


@router.post("/simulations", response={201: Created}, exclude_none=True, openapi_extra=CONFIG_BODY)
def create_simulation(
    request: HttpRequest,
    response: HttpResponse,
    header: Header[Idempotency],
) -> Status[dict[str, Any]]:
    """Queue a simulation of a flat or structured configuration.

    A request that repeats the Idempotency-Key of an earlier one gets the earlier simulation.
    """
    config = body.read(request)
    submission = services.create(config, idempotency_key=header.idempotency_key)
    simulation = submission.simulation
    if not submission.is_new and simulation.config != config:
        raise HttpError(422, "This Idempotency-Key was used with another configuration.")
    response["Location"] = f"/api/simulations/{simulation.simulation_id}"
    warnings = simulation.warnings or None
    return Status(201, {"simulation_id": simulation.simulation_id, "warnings": warnings})


@router.delete("/simulations", response=BulkDeleted)
def delete_simulations(request: HttpRequest, payload: BulkDelete) -> dict[str, Any]:
    """Delete several finished simulations for good, with their files; the answer tells of each."""
    deleted, failed = services.delete_many(payload.simulation_ids)
    return {"deleted": deleted, "failed": failed}


@router.get("/simulations/{simulation_id}", response=Detail)
def get_simulation(request: HttpRequest, simulation_id: str) -> dict[str, Any]:
    """Everything about one simulation but its measurements."""
    row = selectors.simulation(simulation_id)
    return {
        **execution_status(row),
        "simulation_id": row.simulation_id,
        "display_name": row.display_name,
        "notes": row.notes,
        "tags": selectors.tags_of(row),
        "config": submitted_config(row),
        "warnings": row.warnings,
        "result_files": result_files.listed(folder.run_dir(simulation_id)),
        "has_folder": folder.run_dir(simulation_id).is_dir(),
        "queue_position": selectors.queue_position(row),
        "strategies": [strategy_summary(row, one) for one in selectors.strategies_of(row)],
        "seed": row.seed,
        "engine": row.engine,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


@router.get("/simulations/{simulation_id}/config", response=dict[str, Any])
def get_config(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """The configuration as submitted."""
    return json_response(submitted_config(selectors.simulation(simulation_id)))


@router.get("/simulations/{simulation_id}/status", response=ExecutionStatus)
def get_status(request: HttpRequest, simulation_id: str) -> dict[str, Any]:
    """How far the simulation is."""
    return execution_status(selectors.simulation(simulation_id))


@router.post("/simulations/{simulation_id}/stop", response={200: Done, 202: Done})
def stop_simulation(request: HttpRequest, simulation_id: str) -> Status[dict[str, Any]]:
    """Stop a queued or running simulation; 202 if some process of it has not ended yet."""
    row = services.stop(selectors.simulation(simulation_id))
    if not lifecycle.is_finished(row):
        return Status(202, {"message": "stopping", "simulation_id": simulation_id})
    if row.status != "stopped":
        raise services.NotAllowed(f"the simulation is already {row.status}")
    return Status(200, {"message": "stopped", "simulation_id": simulation_id})


@router.post("/simulations/{simulation_id}/resume", response=Done)
def resume_simulation(request: HttpRequest, simulation_id: str) -> dict[str, Any]:
    """Queue a failed or stopped simulation again, to go on after its last checkpoint."""
    services.resume(selectors.simulation(simulation_id))
    return {"message": "resumed", "simulation_id": simulation_id}


@router.patch("/simulations/{simulation_id}/rename", response=Renamed)
def rename_simulation(request: HttpRequest, simulation_id: str, payload: Rename) -> dict[str, Any]:
    """Give the simulation a name of 1 to 100 characters, without blanks around it."""
    row = services.rename(selectors.simulation(simulation_id), payload.display_name)
    return {
        "message": "renamed",
        "simulation_id": simulation_id,
        "display_name": row.display_name,
    }


@router.delete("/simulations/{simulation_id}", response=Done)
def delete_simulation(request: HttpRequest, simulation_id: str) -> dict[str, Any]:
    """Delete a finished simulation for good, with its files."""
    services.delete(selectors.simulation(simulation_id))
    return {"message": "deleted", "simulation_id": simulation_id}
