"""All files of a run as one zip file, sent while it is made."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from simulations import result_files
from simulations.artifacts import folder
from simulations.pages.run.asked import found
from simulations.threaded_chunks import ThreadedChunks

CHUNK_BYTES = 1 << 16
EARLIEST = 315_532_800
"""The start of 1980, before which zip files know no time."""
PACKED = frozenset({".png", ".pdf"})
"""Kinds of files that are compressed already."""


@require_safe
def archive(request: HttpRequest, simulation_id: str) -> StreamingHttpResponse:
    """Give every file that can be fetched by itself."""
    row = found(simulation_id)
    run_dir = folder.run_dir(row.simulation_id)
    # Not closed from here: a thread may be drawing a chunk when the client leaves.
    chunks = ThreadedChunks(zip_chunks(run_dir, row.simulation_id))
    response = StreamingHttpResponse(chunks, content_type="application/zip")
    name = content_disposition_header(True, f"{row.simulation_id}.zip")
    response["Content-Disposition"] = name or "attachment"
    return response


def zip_chunks(run_dir: Path, top: str) -> Iterator[bytes]:
    """Yield a zip file with the files below `run_dir` in the folder `top`.

    A file that has gone is left out; of one that grows, what it held when it was opened is taken.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in result_files.listed(run_dir):
            try:
                opened = result_files.open_file(run_dir, name)
            except result_files.NoSuchFile:
                continue
            with opened:
                for _ in _added(archive, f"{top}/{name}", opened):
                    if data := sink.taken():
                        yield data
    yield sink.taken()


def _added(archive: zipfile.ZipFile, name: str, opened: BinaryIO) -> Iterator[None]:
    """Write a file into the archive, a chunk at each step."""
    told = os.fstat(opened.fileno())
    moment = datetime.fromtimestamp(max(told.st_mtime, EARLIEST), UTC)
    info = zipfile.ZipInfo(name, moment.timetuple()[:6])
    is_packed = PurePosixPath(name).suffix.lower() in PACKED
    info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    left = told.st_size
    with archive.open(info, "w", force_zip64=True) as entry:
        while left and (chunk := opened.read(min(CHUNK_BYTES, left))):
            entry.write(chunk)
            left -= len(chunk)
            yield


class _Sink:
    """Takes what zipfile writes and cannot be sought in, so that each entry is written once."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written is taken when a chunk is due."""

    def close(self) -> None:
        """Do nothing: the last chunk is taken after the archive is closed."""

    def taken(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
