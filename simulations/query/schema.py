"""The OpenAPI schema of /query, by DRF's generator, from the filters and fields themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern
from django.views.decorators.http import require_safe
from rest_framework.schemas.openapi import AutoSchema, SchemaGenerator

from intellifl import problems
from simulations.query.selection import FORMATS

NAME = {"type": "string"}


class QuerySchema(AutoSchema):  # type: ignore[misc]  # DRF has no types
    """Describes one resource."""

    def get_operation_id_base(self, path: str, method: str, action: str) -> str:
        # Without the library that DRF takes plurals from: the resource is named in the plural.
        name = "".join(word.title() for word in self.view.resource.split("-"))
        return name if action == "list" else f"One{name}"

    def get_description(self, path: str, method: str) -> str:
        what = (self.view.__doc__ or "").strip()
        return f"One row: {what}" if "{key}" in path else what

    def get_path_parameters(self, path: str, method: str) -> list[dict[str, Any]]:
        if "{key}" not in path:
            return []
        told = "The simulation's id." if self.view.lookup_field != "pk" else "The row's id."
        return [_parameter("key", told, NAME, place="path", required=True)]

    def get_filter_parameters(self, path: str, method: str) -> list[dict[str, Any]]:
        serializer = self.view.serializer_class()
        fields = {"type": "array", "items": {**NAME, "enum": list(serializer.fields)}}
        shared = [_parameter("fields", "What to show, in this order.", fields)]
        if "{key}" in path:
            return shared
        ways = [way for name in serializer.sortable() for way in (name, f"-{name}")]
        ordering = {"type": "array", "items": {**NAME, "enum": ways}}
        formats = {**NAME, "enum": list(FORMATS)}
        return [
            *(_parameter(n, f.extra["help_text"], f.schema) for n, f in self._filters()),
            _parameter("ordering", "- in front for descending.", ordering),
            *shared,
            _parameter("format", "csv and json give all rows in a file, html a page.", formats),
        ]

    def get_responses(self, path: str, method: str) -> dict[str, Any]:
        responses: dict[str, Any] = super().get_responses(path, method)
        good = responses["200"]
        content = {"application/json": good["content"]["application/json"]}
        if "{key}" not in path:
            content["text/csv"] = {"schema": {"type": "string"}}
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        return {
            "200": {"description": "What was recorded.", "content": content},
            "default": {"description": "An error", "content": {problems.CONTENT_TYPE: problem}},
        }

    def _filters(self) -> list[tuple[str, Any]]:
        return list(self.view.filterset_class.base_filters.items())


def _parameter(
    name: str, told: str, schema: dict[str, Any], place: str = "query", **more: Any
) -> dict[str, Any]:
    lists = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return {"name": name, "in": place, "description": told, "schema": schema, **lists, **more}


def schema_of(routes: Sequence[URLPattern]) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that answers the schema of these routes."""

    @require_safe
    def schema(request: HttpRequest) -> HttpResponse:
        generator = SchemaGenerator(
            title="intellifl query", version=version("intellifl"), patterns=routes, url="/query/"
        )
        found = generator.get_schema(request=None, public=True)
        found["components"]["schemas"]["Problem"] = problems.SCHEMA
        return JsonResponse(found)

    return schema
