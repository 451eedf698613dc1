"""All rows of a selection in one file, streamed in constant memory from one query."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from simulations.fl import strict_json
from simulations.query.renderers import CSV_TYPE, csv_lines
from simulations.query.selection import Selection

ROWS_A_CHUNK = 500


def export(selection: Selection, kind: str, name: str, *, is_head: bool) -> HttpResponseBase:
    """Return all rows as a file of `kind` "csv" or "json"; they are of one moment."""
    content_type, write = KINDS[kind]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    if is_head:
        return HttpResponse(content_type=content_type, headers=headers)
    chunks = _Chunks(write(selection))
    return StreamingHttpResponse(chunks, content_type=content_type, headers=headers)


class _Chunks:
    """Draws each chunk in the request's own thread, whose connection has the query open.

    The first is drawn at once, so that a database that fails still gets its own answer.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.first: bytes | None = next(chunks)

    def close(self) -> None:
        """End the query; Django calls it at the end, also when nobody reads any more."""
        self.chunks.close()  # type: ignore[attr-defined]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await sync_to_async(self._next)()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _next(self) -> bytes | None:
        chunk, self.first = self.first, None
        return chunk or next(self.chunks, None)


def _batches(selection: Selection) -> Iterator[list[dict[str, Any]]]:
    rows = selection.values().iterator(chunk_size=ROWS_A_CHUNK)
    while batch := list(islice(rows, ROWS_A_CHUNK)):
        yield selection.filled(batch)


def _csv(selection: Selection) -> Iterator[bytes]:
    lines = csv_lines([selection.serializer.names])
    for batch in _batches(selection):
        yield (lines + csv_lines(row.values() for row in batch)).encode()
        lines = ""
    if lines:
        yield lines.encode()


def _json(selection: Selection) -> Iterator[bytes]:
    opening = "["
    for batch in _batches(selection):
        yield (opening + strict_json.dumps(batch)[1:-1]).encode()
        opening = ",\n"
    yield b"[]\n" if opening == "[" else b"]\n"


KINDS: dict[str, tuple[str, Callable[[Selection], Iterator[bytes]]]] = {
    "csv": (CSV_TYPE, _csv),
    "json": ("application/json", _json),
}
