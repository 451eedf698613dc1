"""Kinds of filters: what each reads from the address, and the sentence it refuses the rest with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django_filters import Filter

from simulations.fl.config.spelling import unknown
from simulations.models import Simulation, SimulationTag
from simulations.selectors import ID

MOST_VALUES = 200
LARGEST = 2**31 - 1
LARGEST_SEED = 2**63 - 1
LONGEST_TEXT = 200
TRUTH = {"true": True, "false": False, "1": True, "0": False}
COMMA_OR_ESCAPED = re.compile(r"\\[,\\]|,")
ESCAPED = re.compile(r"\\([,\\])")
Convert = Callable[[str], Any]


class ReadField(forms.CharField):
    """A text field whose value is what `convert` makes of it; a ValueError is its sentence."""

    def __init__(self, *, convert: Convert, **options: Any) -> None:
        super().__init__(**options)
        self.convert = convert

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return self.convert(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Kind(Filter):  # type: ignore[misc]  # django-filter has no types
    """A filter by what `convert` reads; `schema` is its JSON schema, for the documentation."""

    field_class = ReadField

    def __init__(
        self, path: str, lookup: str, convert: Convert, schema: dict[str, Any], help_text: str
    ) -> None:
        super().__init__(path, lookup, convert=convert, help_text=help_text)
        self.schema = schema


class Several(Kind):
    """Any of the values, which commas separate."""

    def __init__(
        self, path: str, convert: Convert, help_text: str, schema: dict[str, Any] | None = None
    ) -> None:
        values = {"type": "array", "items": schema or {"type": "string"}}
        super().__init__(path, "in", several(convert), values, help_text)


class Words(Several):
    """Any of these words."""

    def __init__(self, path: str, kind: str, known: Collection[str], help_text: str) -> None:
        values = {"type": "string", "enum": sorted(known)}
        super().__init__(path, lambda text: _known(kind, text, known), help_text, values)


class Numbers(Several):
    """Any of these whole numbers."""

    def __init__(self, path: str, help_text: str) -> None:
        super().__init__(path, _whole, help_text, {"type": "integer", "minimum": 0})


class Seeds(Several):
    """Any of these seeds, which may be larger than other numbers."""

    def __init__(self, path: str, help_text: str) -> None:
        super().__init__(path, _seed, help_text, {"type": "integer"})


class Whole(Kind):
    """A bound on a whole number: `gte` or `lte`, or `gt` for what came after an id."""

    def __init__(self, path: str, lookup: str, help_text: str) -> None:
        schema = {"type": "integer", "minimum": 0}
        super().__init__(path, lookup, _whole, schema, help_text)


class Measure(Kind):
    """A bound on a measured number; what was not measured passes neither bound."""

    def __init__(self, path: str, lookup: str, help_text: str) -> None:
        super().__init__(path, lookup, _measure, {"type": "number"}, help_text)


class Truth(Kind):
    """Yes or no."""

    def __init__(self, path: str, help_text: str) -> None:
        super().__init__(path, "exact", _truth, {"type": "boolean"}, help_text)


class Moment(Kind):
    """A bound on a time: `gte` for from then on, `lt` for before."""

    def __init__(self, path: str, lookup: str, help_text: str) -> None:
        schema = {"type": "string", "format": "date-time"}
        super().__init__(path, lookup, _moment, schema, help_text)


class Runs(Kind):
    """Any of these simulations; one that does not exist is an error, not an empty answer."""

    def __init__(self, path: str) -> None:
        values = {"type": "array", "items": {"type": "string", "pattern": f"^{ID.pattern}$"}}
        super().__init__(f"{path}simulation_id", "in", _runs, values, "Id of the simulation.")


class Presence(Kind):
    """Whether a column has a value."""

    def __init__(self, path: str, help_text: str) -> None:
        super().__init__(path, "isnull", _absence, {"type": "boolean"}, help_text)


class Tags(Several):
    """Simulations that have any of these tags."""

    def __init__(self, path: str) -> None:
        super().__init__(path, text_of, "A tag of the simulation, exactly.")

    def filter(self, rows: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        if not value:
            return rows
        tags = SimulationTag.objects.filter(simulation=OuterRef(self.field_name), name__in=value)
        return rows.filter(Exists(tags))


def several(convert: Convert) -> Callable[[str], list[Any]]:
    """Return a reader of values that commas separate."""

    def read(text: str) -> list[Any]:
        parts = [part.strip() for part in _split(text)]
        if len(parts) > MOST_VALUES:
            raise ValueError(f"{len(parts)} values are too many; at most {MOST_VALUES} are allowed")
        return [convert(part) for part in parts]

    return read


def _split(text: str) -> list[str]:
    """Split at commas; `\\,` is a comma of the value itself, `\\\\` a backslash."""
    parts, begin = [], 0
    for found in COMMA_OR_ESCAPED.finditer(text):
        if found[0] == ",":
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [ESCAPED.sub(r"\1", part) for part in (*parts, text[begin:])]


def _known(kind: str, text: str, known: Collection[str]) -> str:
    if text not in known:
        raise ValueError(unknown(kind, text, known))
    return text


def text_of(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise ValueError(f"must have 1 to {LONGEST_TEXT} characters, not {len(text)}")
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST):
        raise ValueError(f"must be a whole number from 0 to {LARGEST}, not {text[:100]!r}")
    return int(text)


def _seed(text: str) -> int:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 19
    if not is_number or int(digits) > LARGEST_SEED:
        raise ValueError(f"must be a whole number up to {LARGEST_SEED}, not {text[:100]!r}")
    return int(text)


def _measure(text: str) -> float:
    try:
        number = float(text) if "_" not in text and len(text) <= 40 else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, not {text[:100]!r}")
    return number


def _truth(text: str) -> bool:
    if text.lower() not in TRUTH:
        raise ValueError(f"must be true or false, not {text[:100]!r}")
    return TRUTH[text.lower()]


def _absence(text: str) -> bool:
    return not _truth(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"must be a time such as 2026-11-24 or 2026-11-24T06:00:00Z, not {text[:100]!r}"
            " (in an address + is written %2B)"
        ) from None


def _simulation_id(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(
            f"an id has 1 to 64 letters, digits, underscores and hyphens, not {text[:100]!r}"
        )
    return text


def _runs(text: str) -> list[str]:
    simulation_ids = several(_simulation_id)(text)
    rows = Simulation.objects.filter(simulation_id__in=simulation_ids)
    missing = sorted({*simulation_ids} - {*rows.values_list("simulation_id", flat=True)})
    if missing:
        raise ValueError(f"there is no simulation {missing[0]}")
    return simulation_ids
