"""What every resource of /query does: list by pages, export whole, show one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from intellifl import problems
from simulations.fl.config.spelling import unknown
from simulations.query import page
from simulations.query.export import export
from simulations.query.ordering import Order
from simulations.query.pagination import KeysetPagination
from simulations.query.renderers import CsvRenderer, JsonRenderer, PageRenderer
from simulations.query.schema import QuerySchema
from simulations.query.selection import (
    PAGING,
    SHARED,
    BadParameters,
    Selection,
    chosen,
    misnamed,
    ordered_by,
)


class Negotiation(DefaultContentNegotiation):  # type: ignore[misc]  # DRF has no types
    """Says which formats there are when another is asked for."""

    def filter_renderers(self, renderers: list[Any], format: str) -> list[Any]:
        known = {renderer.format: renderer for renderer in renderers}
        if format not in known:
            raise BadParameters([f"format: {unknown('format', format, known)}"])
        return [known[format]]


class RecordedViewSet(GenericViewSet):  # type: ignore[misc]
    """Recorded rows, read-only; who may read them at all is the middleware's business."""

    http_method_names = ["get", "head", "options"]
    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar[list[Any]] = []
    content_negotiation_class = Negotiation
    pagination_class = KeysetPagination
    schema = QuerySchema()
    order: Order
    resource = ""
    paging: Sequence[str] = PAGING

    def list(self, request: Any, format: str | None = None) -> HttpResponseBase:
        """Return one page, or all rows when a file is asked for."""
        kind = self._file_kind(format)
        rows = self._selection(() if kind else self.paging)
        if kind:
            is_head = request.method == "HEAD"
            return export(rows, kind, self.resource, is_head=is_head)
        response: HttpResponseBase = self.get_paginated_response(self.page_of_rows(rows))
        return response

    def retrieve(self, request: Any, key: str, format: str | None = None) -> HttpResponseBase:
        """Return one row."""
        serializer, errors = self._serializer()
        self._refuse([*misnamed(request.query_params, SHARED), *errors])
        found = self.row(serializer, key)
        if found is None:
            raise Http404(f"There is nothing under {request.path}.")
        response: HttpResponseBase = Response(found)
        return response

    def select(self, filterset: Any, serializer: Any, ordering: str) -> Any:
        """Return the rows that pass the filters, in this order."""
        names = ordering.split(",") if ordering else []
        order = ordered_by(names, serializer) if names else self.order
        return Selection(filterset.qs, serializer, order, ordering)

    def page_of_rows(self, rows: Any) -> Any:
        """Return the page that is asked for."""
        return self.paginator.read(rows, self.request, self.resource)

    def row(self, serializer: Any, key: str) -> dict[str, Any] | None:
        """Return the row of this key, None if there is none."""
        rows = self.get_queryset().filter(**{self.lookup_field: key})
        selection = Selection(rows, serializer, self.order, "")
        return next(iter(selection.filled(list(selection.values()[:1]))), None)

    def get_renderers(self) -> Sequence[Any]:
        kinds = [JsonRenderer, PageRenderer]
        is_one = self.action == "retrieve"
        return [kind() for kind in (kinds if is_one else [*kinds, CsvRenderer])]

    @property
    def default_response_headers(self) -> dict[str, str]:
        # Elsewhere Allow comes with 405 only.
        headers: dict[str, str] = super().default_response_headers
        is_asked_for = self.request.method == "OPTIONS"
        return headers if is_asked_for else {"Vary": "Accept"}

    def get_exception_handler(self) -> Any:
        return answer

    def page_of(self, data: Any) -> tuple[str, dict[str, Any]]:
        """Return the template and the context that show a list or a row to people."""
        if self.action == "retrieve":
            return "query/row.html", page.row(self.resource, data)
        filterset = self.filterset_class(self.request.query_params, self.get_queryset())
        about = (self.__doc__ or "").strip()
        return "query/list.html", page.rows(self.resource, about, data, filterset, self.request)

    def _file_kind(self, suffix: str | None) -> str | None:
        """Return csv or json when all rows are asked for in such a file, else None."""
        given = suffix or self.request.query_params.get("format")
        accepted = self.request.accepted_renderer.format
        return accepted if accepted == "csv" or given == "json" else None

    def _selection(self, paging: Sequence[str]) -> Any:
        given = self.request.query_params
        filterset = self.filterset_class(given, self.get_queryset())
        serializer, errors = self._serializer()
        names, wrong = chosen("ordering", given.get("ordering", ""), serializer.sortable())
        known = [*filterset.filters, "ordering", *SHARED, *paging]
        of_filters = [f"{name}: {told[0]}" for name, told in filterset.errors.items()]
        self._refuse([*misnamed(given, known), *errors, *wrong, *of_filters])
        return self.select(filterset, serializer, ",".join(names))

    def _serializer(self) -> tuple[Any, Sequence[str]]:
        """Return the serializer of the chosen fields, and what is wrong with the choice."""
        known = self.serializer_class.Meta.fields
        names, errors = chosen("fields", self.request.query_params.get("fields", ""), known)
        return self.serializer_class(names=() if errors else names), errors

    def _refuse(self, errors: Sequence[str]) -> None:
        if errors:
            raise BadParameters(errors)


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the problem that tells of the error; None lets the middleware answer."""
    request: HttpRequest = context["request"]._request
    if isinstance(error, BadParameters):
        detail = problems.first_of(error.errors, "The request is not valid")
        return problems.respond(request, 400, detail, error.errors)
    if isinstance(error, Http404):
        return problems.respond(request, 404, str(error))
    if not isinstance(error, APIException):
        return None
    response = problems.respond(request, error.status_code, problems.sentence(str(error.detail)))
    if error.status_code == 405:
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response
