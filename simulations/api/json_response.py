"""Answers that are too large to be checked against a schema first, or to be in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from simulations.chunks import Chunks
from simulations.fl import strict_json

CONTENT_TYPE = "application/json"
CHUNK_CHARACTERS = 1 << 16


def json_response(value: Any) -> HttpResponse:
    """Return `value` as JSON, with null where a number is NaN or infinite."""
    return HttpResponse(strict_json.dumps(value), content_type=CONTENT_TYPE)


def json_stream(request: HttpRequest, pieces: Iterator[str]) -> HttpResponseBase:
    """Stream JSON that comes in pieces; such an answer has no ETag."""
    # The middleware that answers HEAD by GET leaves the original here.
    if request.META["REQUEST_METHOD"] == "HEAD":
        return HttpResponse(content_type=CONTENT_TYPE)
    return StreamingHttpResponse(Chunks(_gathered(pieces)), content_type=CONTENT_TYPE)


def array(items: Iterable[Any]) -> Iterator[str]:
    """Yield the pieces of a JSON array of these items."""
    opening = "["
    for item in items:
        yield opening + strict_json.dumps(item)
        opening = ","
    yield "[]" if opening == "[" else "]"


def _gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    """Join short pieces: each chunk costs a change of threads."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK_CHARACTERS:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()
