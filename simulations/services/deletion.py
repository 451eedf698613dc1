"""The end of a simulation: rows first, so that no reader sees half, then the folder."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from simulations.artifacts import folder
from simulations.models import ACTIVE, Simulation
from simulations.services.errors import NotAllowed


def delete(simulation: Simulation) -> None:
    """Delete a finished simulation: first its rows, then its folder.

    The mark in the folder lets whoever finds it later finish a deletion that was cut off.
    """
    with transaction.atomic():
        row = Simulation.objects.select_for_update().filter(pk=simulation.pk).first()
        if row is not None and row.status in ACTIVE:
            raise NotAllowed(f"the simulation is {row.status}; stop it first")
        folder.mark_deleted(simulation.simulation_id)
        if row is not None:
            row.delete()
    folder.remove(simulation.simulation_id)


def delete_many(simulation_ids: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Delete each simulation that can be; return the deleted ids and a reason for each other."""
    deleted: list[str] = []
    failed: list[dict[str, str]] = []
    for simulation_id in dict.fromkeys(simulation_ids):
        try:
            delete(Simulation.objects.get(simulation_id=simulation_id))
            deleted.append(simulation_id)
        except Simulation.DoesNotExist:
            failed.append({"simulation_id": simulation_id, "error": "no such simulation"})
        except NotAllowed as error:
            failed.append({"simulation_id": simulation_id, "error": str(error)})
    return deleted, failed
