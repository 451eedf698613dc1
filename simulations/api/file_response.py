"""Answers that stream an open file, as it is or as the records of its rows."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, TextIO

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from simulations.threaded_chunks import ThreadedChunks

CHUNK_BYTES = 1 << 16
RECORDS_A_CHUNK = 500
WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
NOT_FINITE = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})


def file_response(
    opened: BinaryIO, content_type: str, name: str, *, as_attachment: bool
) -> StreamingHttpResponse:
    """Stream the file; HTML is put into a sandbox, since it may hold what a model wrote."""
    chunks = iter(partial(opened.read, CHUNK_BYTES), b"")
    response = StreamingHttpResponse(
        ThreadedChunks(chunks, opened.close), content_type=content_type
    )
    response["Content-Length"] = str(os.fstat(opened.fileno()).st_size)
    response["Content-Disposition"] = content_disposition_header(as_attachment, name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    if content_type.startswith("text/html"):
        response["Content-Security-Policy"] = "sandbox"
    return response


def records_response(opened: BinaryIO) -> StreamingHttpResponse:
    """Stream a CSV file as a JSON array of records: numbers as numbers, empty cells as null."""
    text = io.TextIOWrapper(opened, "utf-8", errors="replace", newline="")
    chunks = ThreadedChunks(_record_chunks(text), text.close)
    return StreamingHttpResponse(chunks, content_type="application/json")


def _record_chunks(text: TextIO) -> Iterator[bytes]:
    rows = csv.DictReader(text)
    separator, batch = "[", []
    for row in rows:
        batch.append(json.dumps(_record(row), ensure_ascii=False))
        if len(batch) == RECORDS_A_CHUNK:
            yield f"{separator}{','.join(batch)}".encode()
            separator, batch = ",", []
    last = f"{separator}{','.join(batch)}" if batch else separator.strip(",")
    yield f"{last}]".encode()


def _record(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _cell(text) for name, text in row.items() if name is not None}


def _cell(text: str | None) -> Any:
    if text is None or text == "" or text.lower() in NOT_FINITE:
        return None
    if WHOLE.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    return text
