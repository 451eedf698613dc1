"""What a request asks for: its parameters, read and checked, and everything wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework.exceptions import APIException

from simulations.fl.config.spelling import unknown
from simulations.query.ordering import Key, Order
from simulations.query.serializers import RowSerializer

PAGING = ("cursor", "page_size")
SHARED = ("fields", "format")
FORMATS = ("csv", "html", "json")


class BadParameters(APIException):  # type: ignore[misc]  # DRF has no types
    """The parameters are wrong; `errors` lists `name: sentence`."""

    status_code = 400

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(errors)
        self.errors = list(errors)


class Rows(Protocol):
    """What a file is made of."""

    @property
    def serializer(self) -> Any: ...

    def batches(self, size: int) -> Iterator[list[dict[str, Any]]]: ...


@dataclass(frozen=True)
class Selection:
    """Which rows, in which order, and which fields of them; `ordering` is as it was asked for."""

    rows: QuerySet[Any]
    serializer: RowSerializer
    order: Order
    ordering: str

    def over(self, rows: QuerySet[Any], order: Order) -> Selection:
        """Return the same selection of other rows, in another order."""
        return replace(self, rows=rows, order=order)

    def values(self, *more: str) -> QuerySet[Any, Any]:
        """Return the rows as tuples: the fields' columns, then `more`."""
        columns = [self.serializer.column(name) for name in self.serializer.names]
        return self.rows.order_by(*(key.expression() for key in self.order)).values_list(
            *columns, *more
        )

    def batches(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield all rows as JSON objects, so many at once, from one query."""
        rows = self.values().iterator(chunk_size=size)
        while batch := list(islice(rows, size)):
            yield self.filled(batch)

    def filled(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Return the rows as JSON objects."""
        serializer = self.serializer
        return [serializer.to_representation(row) for row in serializer.filled(rows)]


def misnamed(given: QueryDict, known: Collection[str]) -> list[str]:
    """Say which parameters do not exist and which are given more than once."""
    errors = [f"{unknown('parameter', name, known)}" for name in given if name not in known]
    twice = [name for name, values in given.lists() if name in known and len(values) > 1]
    return errors + [f"{name}: given more than once; separate values by commas" for name in twice]


def chosen(kind: str, text: str, known: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the names that commas separate, and what is wrong with them."""
    names = [name.strip() for name in text.split(",")] if text else []
    bare = [name.removeprefix("-") if kind == "ordering" else name for name in names]
    errors = [unknown("field", name, known) for name in bare if name not in known]
    twice = {name for name in bare if bare.count(name) > 1}
    errors += [f"{name!r} is named more than once" for name in sorted(twice & {*known})]
    return names, [f"{kind}: {error}" for error in errors]


def ordered_by(names: Iterable[str], serializer: RowSerializer) -> Order:
    """Return the total order that begins with these fields."""
    keys = [_key(name, serializer) for name in names]
    return (*keys, Key("pk", is_descending=keys[0].is_descending))


def _key(name: str, serializer: RowSerializer) -> Key:
    bare = name.removeprefix("-")
    is_nullable = bool(serializer.fields[bare].allow_null)
    return Key(serializer.column(bare), bare != name, is_nullable)
