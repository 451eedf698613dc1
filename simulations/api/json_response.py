"""Answers that are too large to be checked against a schema first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from simulations.fl import strict_json


def json_response(value: Any) -> HttpResponse:
    """Return `value` as JSON, with null where a number is NaN or infinite."""
    return HttpResponse(strict_json.dumps(value), content_type="application/json")
