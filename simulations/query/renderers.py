"""How answers are written: JSON without NaN, CSV that no spreadsheet executes, a page."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from django.template.loader import render_to_string
from rest_framework.renderers import BaseRenderer

from simulations.fl import strict_json
from simulations.spreadsheet import inert

CSV_TYPE = "text/csv; charset=utf-8; header=present"


class JsonRenderer(BaseRenderer):  # type: ignore[misc]  # DRF has no types
    media_type = "application/json"
    format = "json"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return strict_json.dumps(data).encode()


class CsvRenderer(BaseRenderer):  # type: ignore[misc]
    """Negotiates CSV; what it would render is streamed instead, all rows."""

    media_type = "text/csv"
    format = "csv"


class PageRenderer(BaseRenderer):  # type: ignore[misc]
    """Shows what programs get as a page that people can look through."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> str:
        view, request = renderer_context["view"], renderer_context["request"]
        template, context = view.page_of(data)
        return render_to_string(template, context, request=request._request)


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines of CSV (RFC 4180)."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: Any) -> str:
    """Return a value as text: nothing for null, full precision, lists and objects as JSON."""
    return WRITERS.get(type(value), _json)(value)


def _json(value: Any) -> str:
    return json.dumps(strict_json.finite(value), ensure_ascii=False, allow_nan=False)


WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: repr,
    float: lambda value: repr(value) if math.isfinite(value) else "",
    str: inert,
}
