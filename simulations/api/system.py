"""What the server is, whether its parts answer, and what it can train on."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from ninja import Router, Schema

from simulations import broker, probes
from simulations.api.json_response import json_response

root_router = Router(tags=["System"])
router = Router(tags=["System"])


class Welcome(Schema):
    """Says that the API runs."""

    message: str


class Health(Schema):
    """`degraded` without Redis: simulations then run from this machine's own queue."""

    status: Literal["healthy", "degraded"]
    redis: Literal["connected", "disconnected"]
    celery_workers: int
    execution_mode: Literal["celery", "subprocess"]
    database: Literal["connected", "disconnected"]
    version: str


class Gpu(Schema):
    """The first GPU; memory in GiB, null where the driver does not tell."""

    name: str
    vram_gb: float | None


class Devices(Schema):
    """What clients can train on."""

    available_devices: list[str]
    gpu_available: bool
    gpu_info: Gpu | None
    recommended_device: str


@root_router.get("/", response=Welcome)
def root(request: HttpRequest) -> HttpResponse:
    """Say that the API runs; send browsers to the list of simulations."""
    kinds = ["application/json", "text/html"]
    if request.get_preferred_type(kinds) == "text/html":
        response: HttpResponse = HttpResponseRedirect("/simulations/")
    else:
        response = json_response({"message": "The intellifl API is running; see /docs."})
    response["Vary"] = "Accept"
    return response


@router.get("/health", response=Health)
def health(request: HttpRequest) -> dict[str, Any]:
    """Tell whether Redis and the database answer; always 200, in under two seconds."""
    queue, has_database = broker.health(), probes.database_answers()
    is_healthy = queue["redis"] == "connected" and has_database
    return {
        "status": "healthy" if is_healthy else "degraded",
        **queue,
        "database": "connected" if has_database else "disconnected",
        "version": version("intellifl"),
    }


@router.get("/system/devices", response=Devices)
def devices(request: HttpRequest) -> dict[str, Any]:
    """Tell what clients can train on."""
    gpus = probes.gpus()
    return {
        "available_devices": ["cpu", "gpu"] if gpus else ["cpu"],
        "gpu_available": bool(gpus),
        "gpu_info": gpus[0] if gpus else None,
        "recommended_device": "gpu" if gpus else "cpu",
    }
