"""A configuration from a file or standard input, with settings from the command line on top."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulations.fl import strict_json
from simulations.fl.errors import ConfigError


def load(source: str, assignments: Iterable[str] = ()) -> Any:
    """Read JSON from the file `source`, or from standard input for `-`, and apply `key=value`s.

    Raises ConfigError with a sentence for everything that hinders it.
    """
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        raw = strict_json.loads(text)
    except OSError as error:
        raise ConfigError([f"{source}: {error.strerror or error}"]) from error
    except strict_json.StrictJSONError as error:
        raise ConfigError([f"{source}: {error}"]) from error
    errors = [error for error in (_assign(raw, text) for text in assignments) if error]
    if errors:
        raise ConfigError(errors)
    return raw


def _assign(raw: Any, assignment: str) -> str | None:
    """Set one `path.to.key=value` in `raw`; return what is wrong with it."""
    path, sign, text = assignment.partition("=")
    keys = path.split(".")
    if not sign or not all(keys):
        return f"--set {assignment}: must be key=value, for example num_of_rounds=3"
    target = raw
    for key in keys[:-1]:
        if isinstance(target, dict):
            target = target.setdefault(key, {})
        elif _has_index(target, key):
            target = target[int(key)]
        else:
            return f"--set {assignment}: there is no {key!r} to set something in"
    return _put(target, keys[-1], _value(text), assignment)


def _put(target: Any, key: str, value: Any, assignment: str) -> str | None:
    if isinstance(target, dict):
        target[key] = value
    elif _has_index(target, key):
        target[int(key)] = value
    else:
        return f"--set {assignment}: there is no {key!r} to set"
    return None


def _has_index(target: Any, key: str) -> bool:
    return isinstance(target, list) and key.isdecimal() and int(key) < len(target)


def _value(text: str) -> Any:
    """Read JSON; what is none is a string, so that names need no quotes."""
    try:
        return strict_json.loads(text)
    except strict_json.StrictJSONError:
        return text
