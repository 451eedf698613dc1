"""Total orders of rows, also by columns that may be null, and what comes after a row in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

Order = tuple["Key", ...]


@dataclass(frozen=True)
class Key:
    """One column of an order; rows without a value come last, whichever way it goes."""

    path: str
    is_descending: bool = False
    is_nullable: bool = False
    is_reversed: bool = False

    @property
    def goes_down(self) -> bool:
        return self.is_descending != self.is_reversed

    def expression(self) -> OrderBy:
        column = F(self.path)
        nulls = {"nulls_first" if self.is_reversed else "nulls_last": True}
        options = nulls if self.is_nullable else {}
        return column.desc(**options) if self.goes_down else column.asc(**options)

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True} if value is None else {self.path: value})

    def beyond(self, value: Any) -> Q | None:
        """Return the condition of coming strictly after `value`; None if nothing does."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if self.is_reversed else None
        after = Q(**{f"{self.path}__{'lt' if self.goes_down else 'gt'}": value})
        if self.is_nullable and not self.is_reversed:
            after |= Q(**{f"{self.path}__isnull": True})
        return after


def backwards(order: Order) -> Order:
    return tuple(replace(key, is_reversed=not key.is_reversed) for key in order)


def after(order: Order, values: Sequence[Any]) -> Q:
    """Return the condition of coming after the row that has these values of the order's columns.

    The last column is unique and never null.
    """
    first = order[0]
    condition = _after(order, values)
    if first.is_nullable or len(order) == 1:
        return condition
    # It follows from the condition, but lets an index begin there instead of at its start.
    bound = "lte" if first.goes_down else "gte"
    return Q(**{f"{first.path}__{bound}": values[0]}) & condition


def _after(order: Order, values: Sequence[Any]) -> Q:
    beyond = order[0].beyond(values[0])
    if len(order) == 1:
        return beyond or Q(pk__in=[])
    tied = order[0].same(values[0]) & _after(order[1:], values[1:])
    return tied if beyond is None else beyond | tied
