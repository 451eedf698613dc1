"""What the buttons inside the form do: add and remove strategies, attacks and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulations.fl import strict_json
from simulations.fl.attacks import ATTACKS
from simulations.fl.config.usage import OF_STRATEGIES
from simulations.pages.new import paths
from simulations.pages.new.draft import MOST_COLUMNS, Draft
from simulations.pages.new.fields import SCHEDULE

OF_ONE = OF_STRATEGIES | {"aggregation_strategy_keyword", "strategy_name"}
"""The settings that go into a strategy's column when a second one is added."""
COUNT = "count"


def edited(draft: Draft, action: str, form: Mapping[str, str]) -> Draft:
    """Return the draft after the button `action`, for example `remove-attack attack_schedule.0`.

    An action that makes no sense changes nothing.
    """
    verb, _, place = action.partition(" ")
    if verb == "add-strategy":
        return _with_strategy(draft)
    if verb == "remove-strategy" and draft.count > 1 and paths.is_column(place):
        return replace(_without(draft, place), count=draft.count - 1)
    if verb == "add-attack" and (not place or place in draft.prefixes):
        return _with_attack(draft, place, form.get(f"{place}new_attack", ""))
    if verb == "remove-attack":
        return _without(draft, place)
    if verb == "add-setting" and place in draft.prefixes:
        return _with_setting(draft, place, form.get(f"{place}new_setting", ""))
    return draft


def _with_strategy(draft: Draft) -> Draft:
    if draft.is_structured:
        return replace(draft, count=min(draft.count + 1, MOST_COLUMNS))
    first = paths.column(0)
    moved = {first + path if path in OF_ONE else path: text for path, text in draft.texts.items()}
    other = _renamed(draft, {path: paths.in_config(path, True) for path in _others(draft)})
    return Draft(moved, 2, other)


def _with_attack(draft: Draft, prefix: str, attack: str) -> Draft:
    if attack not in ATTACKS:
        return draft
    numbers = draft.numbers(prefix)
    entry = f"{prefix}{SCHEDULE}.{numbers[-1] + 1 if numbers else 0}."
    name = "num_of_rounds"
    last = draft.texts.get(prefix + name) or draft.texts.get(name, "")
    texts = {
        "attack_type": attack,
        "start_round": "1",
        "end_round": last or "1",
        "selection_strategy": COUNT,
        "malicious_client_count": "1",
    }
    return draft.with_texts({entry + name: text for name, text in texts.items()})


def _with_setting(draft: Draft, prefix: str, name: str) -> Draft:
    path = prefix + name
    if draft.field_at(path) is None or path in draft.texts:
        return draft
    return draft.with_texts({path: draft.texts.get(name, "")})


def _without(draft: Draft, place: str) -> Draft:
    parent, _, number = place.rpartition(".")
    is_there = any(path.startswith(f"{place}.") for path in draft.texts)
    if not number.isdecimal() or not (is_there or paths.is_column(place)):
        return draft
    texts = paths.renumbered(draft.texts, parent, int(number))
    above = paths.in_config(parent, draft.is_structured)
    kept = paths.renumbered(_others(draft), above, int(number))
    return replace(draft, texts=texts, other=_written(kept, draft))


def _others(draft: Draft) -> dict[str, Any]:
    try:
        return draft.others()
    except ValueError:
        return {}


def _renamed(draft: Draft, names: Mapping[str, str]) -> str:
    return _written({names[path]: value for path, value in _others(draft).items()}, draft)


def _written(other: Mapping[str, Any], draft: Draft) -> str:
    """Return the other settings as JSON; what cannot be read stays as it was typed."""
    if not _others(draft):
        return draft.other
    return strict_json.dumps(other, indent=2) if other else ""
