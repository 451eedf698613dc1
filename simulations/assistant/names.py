"""Which simulation is meant by what somebody calls it."""

from __future__ import annotations

import difflib

from django.db.models import Q

from simulations import selectors
from simulations.assistant.bounds import MAX_TEXT, clip, sound
from simulations.models import Simulation

LATEST = frozenset({"latest", "last", "newest", "most recent"})
RECENT = 500
CHOICES = 5
LIKENESS = 0.6


class NotFound(LookupError):
    """No one thing is meant; the message says what there is."""


def simulation(name: str) -> Simulation:
    """Return the simulation of this id or name, or the only one that is called much like it.

    Raises NotFound, which lists those that may be meant.
    """
    name = storable(name).strip().strip("\"'`“”").strip()
    if not name:
        raise NotFound("Say which simulation is meant, by its name or id.")
    if name.lower() in LATEST:
        return _latest()
    found = _called(name)
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(
            f"Several simulations are called like “{name}”: {_listed(found)}. Which one?"
        )
    raise NotFound(f"No simulation is called “{name}”.{_suggested(name)}")


def storable(text: str) -> str:
    """Return the text without what no database can look for, and not too long."""
    return sound(text.replace("\0", ""))[:MAX_TEXT]


def _latest() -> Simulation:
    row = Simulation.objects.first()
    if row is None:
        raise NotFound("There is no simulation yet.")
    return row


def _called(name: str) -> list[Simulation]:
    if selectors.ID.fullmatch(name):
        row = Simulation.objects.filter(simulation_id=name).first()
        if row is not None:
            return [row]
    mentions = Q(display_name__icontains=name) | Q(simulation_id__icontains=name)
    rows = list(Simulation.objects.filter(mentions)[: CHOICES + 1])
    exact = list(Simulation.objects.filter(display_name__iexact=name)[: CHOICES + 1])
    return exact or rows or _alike(name)


def _alike(name: str) -> list[Simulation]:
    """Return the recent simulations whose name differs by a slip of the pen, if it is only one."""
    known = {row.display_name.lower(): row for row in reversed(_recent()) if row.display_name}
    close = difflib.get_close_matches(name.lower(), known, n=2, cutoff=0.8)
    return [known[found] for found in close]


def _suggested(name: str) -> str:
    known = {str(row).lower(): row for row in _recent()}
    close = difflib.get_close_matches(name.lower(), known, n=CHOICES, cutoff=LIKENESS)
    return f" Near it are {_listed([known[found] for found in close])}." if close else ""


def _recent() -> list[Simulation]:
    return list(Simulation.objects.only("simulation_id", "display_name")[:RECENT])


def _listed(rows: list[Simulation]) -> str:
    shown = [
        f"“{clip(row.display_name, 60)}” ({row.simulation_id})"
        if row.display_name
        else row.simulation_id
        for row in rows[:CHOICES]
    ]
    return ", ".join(shown) + (" and more" if len(rows) > CHOICES else "")
