"""A resource whose rows are few and not in the database: filtered and ordered in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import selectors
from simulations.query.pagination import OnePage
from simulations.query.viewset import RecordedViewSet


@dataclass(frozen=True)
class Listed:
    """All rows, in their order, and the serializer of the chosen fields."""

    rows: list[Any]
    serializer: Any

    def batches(self, size: int) -> Iterator[list[dict[str, Any]]]:
        if self.rows:
            yield [self.serializer.to_representation(row) for row in self.rows]


class ListedViewSet(RecordedViewSet):
    """Lists datasets like the recorded rows, but always on one page."""

    pagination_class = OnePage
    paging: Sequence[str] = ()

    def select(self, filterset: Any, serializer: Any, ordering: str) -> Listed:
        """Return the datasets that pass the filters; those without a value come last."""
        rows: list[Any] = selectors.listing()
        for name, allowed in filterset.form.cleaned_data.items():
            field = serializer.fields[filterset.filters[name].field_name]
            if allowed:
                rows = [row for row in rows if field.get_attribute(row) in allowed]
        for key in reversed(ordering.split(",") if ordering else []):
            field = serializer.fields[key.removeprefix("-")]
            some = [row for row in rows if field.get_attribute(row) is not None]
            none = [row for row in rows if field.get_attribute(row) is None]
            rows = sorted(some, key=field.get_attribute, reverse=key.startswith("-")) + none
        return Listed(rows, serializer)

    def page_of_rows(self, rows: Listed) -> list[dict[str, Any]]:
        return [row for batch in rows.batches(len(rows.rows)) for row in batch]

    def row(self, serializer: Any, key: str) -> dict[str, Any] | None:
        found = [one for one in selectors.listing() if one.spec.keyword == key]
        return serializer.to_representation(found[0]) if found else None
