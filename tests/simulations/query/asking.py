"""What tests of the query API ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulations.query.views import RESOURCES

Ask = Callable[..., Any]
Rows = list[dict[str, Any]]
RECORDED = [name for name in RESOURCES if name != "datasets"]


def everything(ask: Ask, resource: str) -> Rows:
    fields = ",".join(RESOURCES[resource].serializer_class.Meta.fields)
    rows: Rows = ask(f"{resource}.json", fields=fields).json()
    return rows


def shown(ask: Ask, resource: str) -> Rows:
    rows: Rows = ask(f"{resource}/").json()["results"]
    return rows
