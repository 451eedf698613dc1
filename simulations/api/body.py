"""How a request's body is read: strict JSON of bounded size, declared as JSON or not at all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from simulations.fl import strict_json
from simulations.fl.strict_json import StrictJSONError

FORM = "application/x-www-form-urlencoded"
"""What curl -d says when it is not told otherwise."""


class UnsupportedMediaType(ValueError):
    """The body is declared to be something other than JSON."""


def read(request: HttpRequest) -> Any:
    """Return the JSON value of the body.

    Raises UnsupportedMediaType, RequestDataTooBig, or StrictJSONError with a sentence.
    """
    _check_content_type(request.content_type or "")
    # Django trusts the declared length, which a chunked body does not have.
    if len(request.body) > settings.MAX_BODY_BYTES:
        raise RequestDataTooBig
    if not request.body.strip():
        raise StrictJSONError("the body is empty; send a JSON object")
    return strict_json.loads(request.body)


def _check_content_type(content_type: str) -> None:
    kind = content_type.lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if kind and kind != FORM and not is_json:
        raise UnsupportedMediaType(
            f"The body is declared as {content_type[:100]}; send application/json."
        )
