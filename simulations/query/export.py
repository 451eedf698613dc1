"""All rows that were asked for in one file, streamed in constant memory from one query."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from simulations.chunks import Chunks
from simulations.fl import strict_json
from simulations.query.renderers import CSV_TYPE, csv_lines
from simulations.query.selection import Rows

ROWS_A_CHUNK = 500


def export(rows: Rows, kind: str, name: str, *, is_head: bool) -> HttpResponseBase:
    """Return all rows as a file of `kind` "csv" or "json"; they are of one moment."""
    content_type, write = KINDS[kind]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    if is_head:
        return HttpResponse(content_type=content_type, headers=headers)
    chunks = Chunks(write(rows))
    return StreamingHttpResponse(chunks, content_type=content_type, headers=headers)


def _csv(rows: Rows) -> Iterator[bytes]:
    lines = csv_lines([rows.serializer.names])
    for batch in rows.batches(ROWS_A_CHUNK):
        yield (lines + csv_lines(row.values() for row in batch)).encode()
        lines = ""
    if lines:
        yield lines.encode()


def _json(rows: Rows) -> Iterator[bytes]:
    opening = "["
    for batch in rows.batches(ROWS_A_CHUNK):
        yield (opening + strict_json.dumps(batch)[1:-1]).encode()
        opening = ",\n"
    yield b"[]\n" if opening == "[" else b"]\n"


KINDS: dict[str, tuple[str, Callable[[Rows], Iterator[bytes]]]] = {
    "csv": (CSV_TYPE, _csv),
    "json": ("application/json", _json),
}
