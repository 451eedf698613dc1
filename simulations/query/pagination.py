"""Pages that go on after the last row by its values, in any order, however many rows there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.http import QueryDict
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from simulations.query.ordering import after, backwards
from simulations.query.selection import BadParameters, Selection

PAGE_SIZE = 100
LARGEST_PAGE = 1000
SALT = "simulations.query.cursor"
NO_CURSOR = "cursor: take it from the `next` or `previous` of a page of this resource"
OTHER_ORDER = "cursor: it belongs to another ordering; begin without it"


class KeysetPagination(BasePagination):  # type: ignore[misc]  # DRF has no types
    """Reads one page; a cursor is signed, and holds the values that its page comes after."""

    def read(self, selection: Selection, request: Any, resource: str) -> list[dict[str, Any]]:
        """Return the rows of the page; raise BadParameters for a wrong cursor or size."""
        self.request, self.resource, self.ordering = request, resource, selection.ordering
        size, values, self.goes_back = self._parameters(request.query_params)
        order = backwards(selection.order) if self.goes_back else selection.order
        rows = selection.rows if values is None else selection.rows.filter(after(order, values))
        columns = [key.path for key in order]
        page = list(selection.over(rows, order).values(*columns)[: size + 1])
        self.has_more, page = len(page) > size, page[:size]
        self.is_first = values is None
        if self.goes_back:
            page.reverse()
        self.ends = [list(row[-len(columns) :]) for row in (page[:1] + page[-1:])]
        return selection.filled(page)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"next": self.get_next_link(), "previous": self.get_previous_link(), "results": data}
        )

    def get_next_link(self) -> str | None:
        return self._link(-1, goes_back=False) if self.has_more or self.goes_back else None

    def get_previous_link(self) -> str | None:
        has_previous = self.has_more if self.goes_back else not self.is_first
        return self._link(0, goes_back=True) if has_previous else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}
        return [
            _parameter("cursor", "From `next` or `previous` of a page.", {"type": "string"}),
            _parameter("page_size", "Rows of a page.", size),
        ]

    def _parameters(self, given: QueryDict) -> tuple[int, Sequence[Any] | None, bool]:
        size, text = given.get("page_size") or str(PAGE_SIZE), given.get("cursor")
        is_number = size.isascii() and size.isdigit() and len(size) <= 4
        if not is_number or not 1 <= int(size) <= LARGEST_PAGE:
            told = f"must be a whole number from 1 to {LARGEST_PAGE}, not {size[:100]!r}"
            raise BadParameters([f"page_size: {told}"])
        if not text:
            return int(size), None, False
        try:
            ordering, goes_back, values = signing.loads(text, salt=f"{SALT}.{self.resource}")
        except signing.BadSignature:
            raise BadParameters([NO_CURSOR]) from None
        if ordering != self.ordering:
            raise BadParameters([OTHER_ORDER])
        return int(size), values, goes_back

    def _link(self, end: int, *, goes_back: bool) -> str | None:
        if not self.ends:
            return None
        values = [v.isoformat() if isinstance(v, datetime) else v for v in self.ends[end]]
        content = (self.ordering, goes_back, values)
        cursor = signing.dumps(content, salt=f"{SALT}.{self.resource}")
        url: str = replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)
        return url


class OnePage(KeysetPagination):
    """Everything on one page, for what is few."""

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": None, "previous": None, "results": data})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}
