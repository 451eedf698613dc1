"""What operators do to selected simulations: by the services, with an answer for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from simulations import lifecycle, services
from simulations.fl.errors import ConfigError, StorageError
from simulations.models import Simulation

STOP_WAIT_S = 2.0
AT_ONCE = 100
REFUSALS = (services.NotAllowed, ConfigError, StorageError)
Rows = QuerySet[Simulation]
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = object


class SimulationActions(AnyAdmin):
    """The actions on the list of simulations."""

    def has_removal_permission(self, request: HttpRequest) -> bool:
        """Tell who may delete by the action; the desk's own deletion is closed to everybody."""
        return request.user.has_perm("simulations.delete_simulation")

    @admin.action(description="Stop", permissions=["change"])
    def stop_selected(self, request: HttpRequest, rows: Rows) -> None:
        chosen = self._chosen(request, rows)
        ended = {row.pk: row.status for row in chosen if lifecycle.is_finished(row)}
        services.stop_many(chosen, wait_s=STOP_WAIT_S)
        self._each(request, chosen, partial(_stopped, ended))

    @admin.action(description="Resume after the last checkpoint", permissions=["change"])
    def resume_selected(self, request: HttpRequest, rows: Rows) -> None:
        self._each(request, self._chosen(request, rows), _resume)

    @admin.action(description="Run again as a new simulation", permissions=["change"])
    def repeat_selected(self, request: HttpRequest, rows: Rows) -> None:
        self._each(request, self._chosen(request, rows), _repeat)

    @admin.action(description="Archive", permissions=["change"])
    def archive_selected(self, request: HttpRequest, rows: Rows) -> None:
        self._each(request, self._chosen(request, rows), _archive)

    @admin.action(description="Show archived ones again", permissions=["change"])
    def unarchive_selected(self, request: HttpRequest, rows: Rows) -> None:
        self._each(request, self._chosen(request, rows), _unarchive)

    @admin.action(description="Make the result files anew", permissions=["change"])
    def rebuild_selected(self, request: HttpRequest, rows: Rows) -> None:
        chosen = self._chosen(request, rows)
        begun = {row.pk for row in services.rebuild(chosen)}
        self._each(request, chosen, partial(_rebuilding, begun))

    @admin.action(description="Delete for good, with files", permissions=["removal"])
    def delete_finished(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        chosen = self._chosen(request, rows)
        if not chosen:
            return None
        if request.POST.get("is_sure") != "yes":
            context = {**self.admin_site.each_context(request), "rows": chosen, "opts": self.opts}
            template = "admin/simulations/simulation/delete_selected.html"
            return TemplateResponse(request, template, {**context, "title": "Delete simulations"})
        self._each(request, chosen, _delete)
        return None

    def _chosen(self, request: HttpRequest, rows: Rows) -> list[Simulation]:
        """Return the selected rows, or none when there are more than can be answered for."""
        chosen = list(rows[: AT_ONCE + 1])
        if len(chosen) <= AT_ONCE:
            return chosen
        text = f"Nothing was done: select at most {AT_ONCE} simulations at once."
        self.message_user(request, text, messages.ERROR)
        return []

    def _each(
        self,
        request: HttpRequest,
        rows: Iterable[Simulation],
        act: Callable[[Simulation], str],
    ) -> None:
        """Do it to each row, and say of each what was done or why not."""
        for row in rows:
            simulation_id, level = row.simulation_id, messages.SUCCESS
            try:
                text = act(row)
            except REFUSALS as refusal:
                text, level = str(refusal), messages.WARNING
            self.message_user(request, f"Simulation {simulation_id}: {text}", level)


def _stopped(ended: Mapping[int, str], row: Simulation) -> str:
    if row.pk in ended:
        raise services.NotAllowed(f"the simulation is already {ended[row.pk]}")
    row.refresh_from_db(fields=["status"])
    return row.status if lifecycle.is_finished(row) else "asked to stop"


def _resume(row: Simulation) -> str:
    services.resume(row)
    return "queued"


def _repeat(row: Simulation) -> str:
    return f"queued again as {services.repeat(row).simulation_id}"


def _archive(row: Simulation) -> str:
    if not services.archive([row.simulation_id]):
        raise services.NotAllowed("it is archived already")
    return "archived"


def _unarchive(row: Simulation) -> str:
    if not services.unarchive([row.simulation_id]):
        raise services.NotAllowed("it is not archived")
    return "shown again"


def _rebuilding(begun: Collection[int], row: Simulation) -> str:
    if row.pk not in begun:
        raise services.NotAllowed(f"the simulation is {row.status}; its files are made at its end")
    return "its files are being made"


def _delete(row: Simulation) -> str:
    services.delete(row)
    return "deleted"
