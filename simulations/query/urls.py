"""The routes of /query: pages and rows with or without a slash at the end, and files."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from simulations.query.root import root
from simulations.query.schema import schema_of
from simulations.query.views import RESOURCES
from simulations.query.viewset import RecordedViewSet


def _routes(name: str, viewset: type[RecordedViewSet], end: str) -> list[URLPattern]:
    key = "int" if viewset.lookup_field == "pk" else "slug"
    one = viewset.as_view({"get": "retrieve"}, resource=name)
    return [path(f"{name}{end}", _many(name, viewset)), path(f"{name}/<{key}:key>{end}", one)]


def _many(name: str, viewset: type[RecordedViewSet]) -> Any:
    return viewset.as_view({"get": "list"}, resource=name)


DOCUMENTED = [route for name, viewset in RESOURCES.items() for route in _routes(name, viewset, "/")]
urlpatterns = [
    path("", root),
    path("schema", schema_of(DOCUMENTED)),
    path("schema/", schema_of(DOCUMENTED)),
    *DOCUMENTED,
    *(route for name, viewset in RESOURCES.items() for route in _routes(name, viewset, "")),
    *(path(f"{name}.<slug:format>", _many(name, it)) for name, it in RESOURCES.items()),
]
