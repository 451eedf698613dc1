"""Paths of settings, as errors name them: `simulation_strategies.0.attack_schedule.1.end_round`.

In the form a shared setting has no prefix, so that it keeps its name when strategies are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulations.pages.new.fields import PARAMS, SCHEDULE

SHARED, COLUMNS = "shared_settings", "simulation_strategies"
LISTS = frozenset({COLUMNS, SCHEDULE})
OBJECTS = frozenset({SHARED, PARAMS})


class Numbered(dict[str, Any]):
    """A list in the making, by number."""


def column(number: int) -> str:
    return f"{COLUMNS}.{number}."


def is_column(path: str) -> bool:
    """Tell whether it is the path of one strategy as a whole."""
    name, _, number = path.partition(".")
    return name == COLUMNS and number.isdecimal()


def split(path: str) -> tuple[str, str]:
    """Return the column's prefix, empty for a shared setting, and the path inside it."""
    keys = path.split(".", 2)
    if keys[0] == COLUMNS and len(keys) == 3:
        return f"{keys[0]}.{keys[1]}.", keys[2]
    return "", path


def in_form(path: str, is_structured: bool) -> str:
    return path.removeprefix(f"{SHARED}.") if is_structured else path


def in_config(path: str, is_structured: bool) -> str:
    is_shared = is_structured and path.split(".")[0] != COLUMNS
    return f"{SHARED}.{path}" if is_shared else path


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting of a configuration with its path; what cannot be parted comes whole."""
    for key, inner in _parts(value, path):
        place = f"{path}.{key}" if path else key
        if any(_parts(inner, place)):
            yield from leaves(inner, place)
        else:
            yield place, inner


def place(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put a value into a tree of objects, which `finished` makes a configuration."""
    *above, last = path.split(".")
    for key in above:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = Numbered() if key in LISTS else {}
        tree = inner
    if isinstance(tree, Numbered) and not last.isdecimal():
        raise ValueError(f"{path}: entries of a list are numbers, not {last!r}")
    tree[last] = value


def finished(tree: Any) -> Any:
    """Return a tree with its lists, in the order of their numbers and without gaps."""
    if isinstance(tree, Numbered):
        return [finished(tree[key]) for key in sorted(tree, key=int)]
    if isinstance(tree, dict):
        return {key: finished(inner) for key, inner in tree.items()}
    return tree


def renumbered(texts: Mapping[str, Any], parent: str, removed: int) -> dict[str, Any]:
    """Return `texts` without entry `removed` of the list `parent`, and the later ones moved up."""
    found: dict[str, Any] = {}
    for path, text in texts.items():
        number, dot, rest = path.removeprefix(f"{parent}.").partition(".")
        if not path.startswith(f"{parent}.") or not number.isdecimal() or int(number) < removed:
            found[path] = text
        elif int(number) > removed:
            found[f"{parent}.{int(number) - 1}{dot}{rest}"] = text
    return found


def _parts(value: Any, path: str) -> list[tuple[str, Any]]:
    """Return the parts that the form knows places for; none where a key is no part of a path."""
    *above, name = path.split(".")
    if isinstance(value, list) and name in LISTS and all(isinstance(v, dict) for v in value):
        return [(str(number), inner) for number, inner in enumerate(value)]
    is_entry = bool(above) and above[-1] in LISTS
    if isinstance(value, dict) and (not path or is_entry or name in OBJECTS):
        parts = list(value.items())
        return [] if path and any("." in key or not key for key in value) else parts
    return []
