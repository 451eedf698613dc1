"""What operators look at: the queue, and the state of the system."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import django
import psutil
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from simulations import broker, estimates, probes, selectors
from simulations.models import Simulation, Status

REFRESH_S = 5
SHOWN = 200
PACKAGES = ("intellifl", "django", "torch", "flwr", "datasets", "transformers", "celery", "numpy")


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what runs now, and what waits: its place, since when, and when it is likely to start."""
    running = Simulation.objects.filter(status__in=(Status.PENDING, Status.RUNNING))
    queued = Simulation.objects.filter(status=Status.QUEUED).order_by("queued_at", "id")
    health = broker.health()
    at_once = settings.ENVIRONMENT.concurrency * max(1, health["celery_workers"])
    now = timezone.now()
    active = list(running.order_by("started_at", "id"))
    waiting = estimates.queue(active, queued[:SHOWN], at_once, now)
    context = {
        "running": active,
        "waiting": waiting,
        "omitted": max(0, queued.count() - len(waiting)),
        "health": health,
        "refresh_s": REFRESH_S if active or waiting else None,
    }
    return render(request, "simulations/queue.html", context)


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Show workers, devices, disk, memory, versions and counts."""
    memory = psutil.virtual_memory()
    context = {
        "health": broker.health(),
        "has_database": probes.database_answers(),
        "counts": selectors.queue_counts(),
        "gpus": probes.gpus(),
        "cores": psutil.cpu_count(),
        "load": psutil.getloadavg(),
        "memory_used": memory.total - memory.available,
        "memory_total": memory.total,
        "disks": [_disk("Runs", settings.OUT_DIR), _disk("Data", settings.DATA_DIR)],
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "database": django.db.connection.vendor,
    }
    return render(request, "simulations/system.html", context)


def _disk(name: str, folder: Path) -> dict[str, object]:
    """Return the room of the file system on which the folder is, or would be made."""
    place = Path(folder).resolve()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    share = usage.used / usage.total if usage.total else 1.0
    return {"name": name, "free": usage.free, "total": usage.total, "share": share}
