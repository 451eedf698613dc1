"""The page itself: header, tabs, and the tab that the address asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from simulations.pages.run import (
    attacks,
    clients,
    config,
    data,
    files,
    header,
    log,
    metrics,
    strategies,
)
from simulations.pages.run.asked import Asked, asked

REFRESH_S = 5
FIRST = "metrics"


@dataclass(frozen=True)
class Tab:
    """A part of the page that is shown by itself; `context` asks only for what it shows."""

    title: str
    context: Callable[[Asked], dict[str, Any]]
    of_strategy: bool = True


TABS = {
    "metrics": Tab("Metrics", metrics.context),
    "clients": Tab("Clients", clients.context),
    "strategies": Tab("Strategies", strategies.context, of_strategy=False),
    "attacks": Tab("Attacks", attacks.context),
    "data": Tab("Data", data.context),
    "log": Tab("Log", log.context, of_strategy=False),
    "config": Tab("Config", config.context),
    "files": Tab("Files", files.context, of_strategy=False),
}


@require_safe
def simulation_page(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Show one simulation."""
    return show(request, asked(simulation_id, request.GET))


def show(
    request: HttpRequest,
    about: Asked,
    entered: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render the page; with `problems` the form of labels is open and keeps what was entered."""
    wanted = about.text("tab")
    name = wanted if wanted in TABS else FIRST
    tab = TABS[name]
    context = {
        "tab": name,
        "tabs": TABS,
        "tab_template": f"simulations/run/_{name}.html",
        "refresh_s": REFRESH_S if about.is_active else None,
        "run": about.run,
        "runs": about.runs if tab.of_strategy and len(about.runs) > 1 else [],
        **header.context(request, about, entered, problems or {}),
        **tab.context(about),
    }
    status = 422 if problems else 200
    return render(request, "simulations/run/page.html", context, status=status)
