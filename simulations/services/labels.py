"""What people call a simulation: its name, tags and notes, within the limits of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from simulations.fl.config import StrategyConfig
from simulations.fl.config.messages import sentence
from simulations.models import Simulation, SimulationTag
from simulations.services.errors import InvalidLabels

FIELDS = ("display_name", "tags", "notes")
_fields: dict[str, Any] = {
    name: (StrategyConfig.model_fields[name].annotation, StrategyConfig.model_fields[name])
    for name in FIELDS
}
_Labels: type[BaseModel] = create_model("_Labels", __config__=ConfigDict(strict=True), **_fields)


def relabel(
    simulation: Simulation, *, display_name: str, tags: Sequence[str], notes: str
) -> Simulation:
    """Replace name, tags and notes; without a name the simulation goes by its id.

    Blanks around names and tags are dropped, and tags that are empty or come twice. Raises
    InvalidLabels, which tells of each field, and changes nothing then.
    """
    trimmed = (_clean(tag) for tag in tags)
    names = list(dict.fromkeys(tag for tag in trimmed if tag))
    name, text = _clean(display_name), notes.replace("\0", "")
    _check({"display_name": name, "tags": names, "notes": text})
    with transaction.atomic():
        simulation.display_name, simulation.notes = name, text
        simulation.save(update_fields=["display_name", "notes"])
        simulation.tags.exclude(name__in=names).delete()
        SimulationTag.objects.bulk_create(
            (SimulationTag(simulation=simulation, name=tag) for tag in names),
            ignore_conflicts=True,
        )
    return simulation


def _check(labels: dict[str, Any]) -> None:
    try:
        _Labels.model_validate(labels)
    except ValidationError as error:
        found = {
            str(problem["loc"][0]): sentence(problem, FIELDS)
            for problem in error.errors(include_url=False)
        }
        raise InvalidLabels(found) from error


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()
