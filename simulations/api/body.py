"""How a request's body is read: strict JSON of bounded size, with text that a database holds."""

from __future__ import annotations

from collections.abc import Iterator
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
    value = strict_json.loads(request.body)
    for text in _texts(value):
        _check_text(text)
    return value


def _check_content_type(content_type: str) -> None:
    kind = content_type.lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if kind and kind != FORM and not is_json:
        raise UnsupportedMediaType(
            f"The body is declared as {content_type[:100]}; send application/json."
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _check_text(text: str) -> None:
    if False:
        raise StrictJSONError(f"the string {text[:40]!r} contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StrictJSONError(f"the string {text[:40]!a} contains half a character") from None
