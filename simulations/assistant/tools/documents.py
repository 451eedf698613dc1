"""The tool that explains the field's terms from the documentation."""

from __future__ import annotations

from typing import Any

from datasets_app.catalog import CATALOG
from simulations.assistant import documents, names, terms
from simulations.assistant.bounds import clip
from simulations.fl.config import StrategyConfig

MAX_SECTION = 6_000


def explain(name: str) -> dict[str, Any]:
    """Explain a strategy, an attack, a dataset or a setting of the configuration.

    `name` is its keyword, or the words that are said for it: "krum", "label flipping",
    "trim_ratio". The text comes from this project's documentation.
    """
    kinds = terms.kinds()
    found = name if name in kinds else next(iter(terms.mentioned(name, kinds)), None)
    if found is None:
        close = terms.close_to(name, kinds)
        if len(close) != 1:
            raise names.NotFound(_unknown(name, close))
        found = close[0]
    kind = kinds[found]
    return {"name": found, "kind": kind, "text": clip(_text(found, kind), MAX_SECTION)}


def _unknown(name: str, close: list[str]) -> str:
    hint = f"; near it are {', '.join(close)}" if close else ""
    return f"Nothing called “{clip(name, 60)}” is documented{hint}."


def _text(name: str, kind: str) -> str:
    if kind == "strategy":
        return documents.sections(documents.STRATEGIES).get(name, "")
    if kind == "attack":
        return documents.sections(documents.ATTACKS).get(name, "")
    if kind == "setting":
        field = StrategyConfig.model_fields[name]
        given = "required" if field.is_required() else f"default `{field.default}`"
        return f"{field.description} ({given})"
    spec = CATALOG[name]
    return (
        f"{spec.title}: {spec.modality}, {spec.num_classes} classes, {spec.num_train} samples to "
        f"train on and {spec.num_test} to test on. Licence: {spec.licence}."
    )
