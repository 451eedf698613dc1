"""What stands above the tabs: state, progress, time left, labels, how to run it again."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from simulations import estimates, result_files, selectors, services
from simulations.fl import journal, strict_json
from simulations.models import RoundMetrics, Simulation, Status
from simulations.pages.run.asked import Asked
from simulations.streams.log_file import LogFile

RECENT = 20
MAX_MANIFEST_BYTES = 1 << 20


def context(
    request: HttpRequest,
    about: Asked,
    entered: Mapping[str, str] | None,
    problems: Mapping[str, str],
) -> dict[str, Any]:
    row = about.row
    tags = selectors.tags_of(row)
    return {
        "simulation": row,
        "tags": tags,
        "is_active": about.is_active,
        "is_resumable": services.is_resumable(row),
        "total_rounds": selectors.total_rounds(row),
        "strategy_number": row.current_strategy + 1,
        "left": _left(row) if about.is_active else "",
        "queue_position": selectors.queue_position(row),
        "has_folder": about.run_dir.is_dir(),
        "labels": entered or _labels(row, tags),
        "label_problems": problems,
        "results": f"/api/simulations/{row.simulation_id}/results/",
        "log_size": LogFile(about.run_dir).size() or 0,
        **_reproduction(request, about),
    }


def seconds_left(row: Simulation) -> float | None:
    """Return the likely time of the rounds that are left, by this simulation's own if it has any.

    None where nothing like it ever ran.
    """
    own = RoundMetrics.objects.filter(
        strategy_run__simulation=row, round_seconds__isnull=False
    ).order_by("-id")
    measured = [one for (one,) in own.values_list("round_seconds")[:RECENT] if one is not None]
    if measured:
        return statistics.median(measured) * (row.rounds_total - row.rounds_done)
    return estimates.Estimator().remaining_seconds(row)


def _left(row: Simulation) -> str:
    if row.rounds_done >= row.rounds_total:
        return "writing its files"
    seconds = seconds_left(row)
    if seconds is None:
        return "time left not known before the first round"
    return f"about {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _labels(row: Simulation, tags: list[str]) -> dict[str, str]:
    return {"display_name": row.display_name, "tags": ", ".join(tags), "notes": row.notes}


def _reproduction(request: HttpRequest, about: Asked) -> dict[str, Any]:
    """Return the address of the settings to run again, and what the manifest tells."""
    address = f"/api/simulations/{about.row.simulation_id}"
    is_resolved = (about.run_dir / journal.CONFIG).is_file()
    settings = f"{address}/results/{journal.CONFIG}" if is_resolved else f"{address}/config"
    return {
        "settings_address": request.build_absolute_uri(settings),
        "settings_name": journal.CONFIG if is_resolved else "config.json",
        "seed_argument": None if is_resolved else _seed_argument(about.row),
        "manifest": _manifest(about),
    }


def _seed_argument(row: Simulation) -> str:
    prefix = "shared_settings." if "simulation_strategies" in row.config else ""
    return f"{prefix}seed={row.seed}"


def _manifest(about: Asked) -> dict[str, Any] | None:
    """Return the manifest, which is written when the simulation ends."""
    if about.row.status == Status.QUEUED:
        return None
    try:
        with result_files.open_file(about.run_dir, "MANIFEST.json") as opened:
            told = strict_json.loads(opened.read(MAX_MANIFEST_BYTES))
    except (result_files.NoSuchFile, strict_json.StrictJSONError):
        return None
    return told if isinstance(told, dict) else None
