"""The measured numbers as CSV files: full precision, an empty cell where nothing was measured."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from simulations.artifacts.measurements import (
    CLIENT_COLUMNS,
    COUNTS,
    RATES,
    ROUND_COLUMNS,
    Array,
    Measurements,
)
from simulations.fl import atomic

WHOLE = frozenset(
    {"score_calculation_time_ns", *COUNTS}
    | {"participated", "is_malicious", "is_removed", "num_examples"}
)
DETECTION = (*COUNTS, *(f"removal_{rate}" for rate in RATES))
CLIENT_HEADINGS = {"participated": "participation"}
EXEC_STATS = (
    *(f"removal_{rate}" for rate in RATES),
    "average_accuracy",
    "global_accuracy",
    "attack_success_rate",
    "aggregated_loss",
    "global_loss",
)


def write_round_metrics(path: Path, measured: Measurements) -> None:
    """One line a round; the detection columns only where clients are removed."""
    names = [*ROUND_COLUMNS, *(DETECTION if measured.removes else ())]
    columns = [_cells(measured.of_rounds[name], name) for name in names]
    _write(path, ["round", *names], _lines(measured, columns))


def write_client_metrics(path: Path, measured: Measurements) -> None:
    """One line a round, with the columns `client_<i>_<metric>` for every client and metric."""
    headings, columns = ["round"], []
    for place, client in enumerate(measured.clients):
        for name in CLIENT_COLUMNS:
            headings.append(f"client_{client}_{CLIENT_HEADINGS.get(name, name)}")
            columns.append(_cells(measured.of_clients[name][:, place], name))
    _write(path, headings, _lines(measured, columns))


def write_exec_stats(path: Path, measured: Measurements) -> None:
    """Mean and population standard deviation of each metric over the rounds that may remove."""
    rows = []
    for name in EXEC_STATS:
        values = removing_rounds(measured, name)
        if len(values):
            rows.append((name, repr(float(values.mean())), repr(float(values.std())), len(values)))
    _write(path, ["metric", "mean", "std", "num_rounds"], rows)


def removing_rounds(measured: Measurements, name: str) -> Array:
    """Return what was measured of a column from begin_removing_from_round on."""
    values = measured.of_rounds[name]
    return values[(measured.rounds >= measured.removes_from) & ~np.isnan(values)]


def _lines(measured: Measurements, columns: list[list[str]]) -> Iterable[Sequence[object]]:
    return zip(measured.rounds.tolist(), *columns, strict=True)


def _cells(values: Array, name: str) -> list[str]:
    if name in WHOLE:
        return ["" if value != value else str(int(value)) for value in values.tolist()]
    return ["" if value != value else repr(value) for value in values.tolist()]


def _write(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    atomic.write_text(path, text.getvalue())
