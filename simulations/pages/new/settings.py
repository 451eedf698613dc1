"""What holds for each strategy of a draft, shared settings and its own together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulations.fl.config.usage import unused
from simulations.pages.new import paths
from simulations.pages.new.draft import Draft
from simulations.pages.new.fields import SCHEDULE


class Settings:
    """The settings of the draft as far as they can be read."""

    def __init__(self, draft: Draft) -> None:
        config, _ = draft.config()
        shared = config.get(paths.SHARED) if draft.is_structured else config
        columns = config.get(paths.COLUMNS) if draft.is_structured else [{}]
        own = [_object(one) for one in columns] if isinstance(columns, list) else []
        self._own = [*own, *({} for _ in range(len(own), draft.count))]
        self._merged = [{**_object(shared), **one} for one in self._own]
        self._unused = [unused(one) for one in self._merged]

    def of(self, number: int) -> Mapping[str, Any]:
        return self._merged[number]

    def unused(self, prefix: str) -> Mapping[str, str]:
        """Return what changes nothing in a column; for shared settings, in none of them."""
        if prefix:
            return self._unused[int(prefix.split(".")[1])]
        first, *others = self._unused
        if not others:
            return first
        everywhere = set(first).intersection(*others)
        return {name: _together([one[name] for one in self._unused]) for name in everywhere}

    def follower(self) -> int:
        """Return the number of a strategy that has the shared schedule, the first if none has."""
        return next((n for n, one in enumerate(self._own) if SCHEDULE not in one), 0)


def _together(reasons: list[str]) -> str:
    return reasons[0] if len(set(reasons)) == 1 else "none of the strategies reads it"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
