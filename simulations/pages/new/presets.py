"""What a new simulation can start from: the examples, and simulations that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intellifl.environment import ROOT
from simulations.fl import strict_json
from simulations.pages.new import paths, texts

EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Preset:
    """An example: its name, and what its own configuration says about it."""

    name: str
    title: str
    description: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A setting that is not as in the original; None where it is not given."""

    path: str
    before: str | None
    after: str | None


def presets() -> dict[str, Preset]:
    """Return the examples by name."""
    found = {}
    for path in sorted(EXAMPLES.glob("*.json")):
        config = strict_json.loads(path.read_bytes())
        told = config.get(paths.SHARED, config)
        found[path.stem] = Preset(path.stem, told["display_name"], told["notes"], config)
    return found


def changes(original: Any, config: Any) -> list[Change]:
    """Return what differs, by path, in the order of the original."""
    before, after = dict(paths.leaves(original)), dict(paths.leaves(config))
    return [
        Change(path, _text(before, path), _text(after, path))
        for path in {**before, **after}
        if path not in before or path not in after or not texts.same(before[path], after[path])
    ]


def _text(settings: dict[str, Any], path: str) -> str | None:
    return strict_json.dumps(settings[path]) if path in settings else None
