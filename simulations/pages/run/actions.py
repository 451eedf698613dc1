"""What the page's forms do: stop, resume, give another name, tags and notes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from simulations import lifecycle, services
from simulations.pages.run import page
from simulations.pages.run.asked import asked, found
from simulations.services.labels import FIELDS


@require_POST
def stop(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Stop a simulation and show it again."""
    row = found(simulation_id)
    try:
        row = services.stop(row)
    except services.NotAllowed as error:
        messages.error(request, f"Not stopped: {error}.")
    else:
        is_over = lifecycle.is_finished(row)
        messages.success(request, "Stopped." if is_over else "Stopping; it has not ended yet.")
    return redirect("simulations:detail", simulation_id=simulation_id)


@require_POST
def resume(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Queue a failed or stopped simulation again and show it."""
    row = found(simulation_id)
    try:
        services.resume(row)
    except services.NotAllowed as error:
        messages.error(request, f"Not resumed: {error}.")
    else:
        messages.success(request, "Queued again, to go on after its last checkpoint.")
    return redirect("simulations:detail", simulation_id=simulation_id)


@require_POST
def label(request: HttpRequest, simulation_id: str) -> HttpResponse:
    """Replace name, tags and notes and show the simulation again, or what is wrong with them."""
    row = found(simulation_id)
    entered = {name: request.POST.get(name, "") for name in FIELDS}
    notes = entered["notes"].replace("\r\n", "\n")
    tags = entered["tags"].split(",")
    try:
        services.relabel(row, display_name=entered["display_name"], tags=tags, notes=notes)
    except services.InvalidLabels as error:
        about = asked(simulation_id, request.GET)
        return page.show(request, about, entered, error.problems)
    messages.success(request, "Saved.")
    return redirect("simulations:detail", simulation_id=simulation_id)
