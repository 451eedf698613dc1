"""The rows of a round's clients, inserted as they are: a round may have thousands.

Through model instances they would take five times as long, which is much of a short round's time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, models

from simulations.fl.events import ClientMetrics
from simulations.models import ClientRound, StrategyRun


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


CONVERSIONS: dict[type[models.Field[Any, Any]], Callable[[Any], Any]] = {
    models.FloatField: _finite,
    models.BooleanField: bool,
    models.PositiveIntegerField: int,
}


def insert(run: StrategyRun, round_number: int, clients: Sequence[ClientMetrics]) -> None:
    """Insert a row for each client, within the caller's transaction.

    Raises TypeError or ValueError for a value that is no number, IntegrityError as the table does.
    """
    given = {"strategy_run": run.pk, "round_number": round_number}
    fields = {field.name: field for field in ClientRound._meta.concrete_fields}
    measured = {
        name: CONVERSIONS[type(field)]
        for name, field in fields.items()
        if name not in given and not field.primary_key
    }
    rows = [
        (*given.values(), *(convert(getattr(client, name)) for name, convert in measured.items()))
        for client in clients
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(fields[name].column)) for name in (*given, *measured))
    places = ", ".join(["%s"] * (len(given) + len(measured)))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(ClientRound._meta.db_table)} ({columns}) VALUES ({places})", rows
        )
