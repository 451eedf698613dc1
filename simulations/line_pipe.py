"""Lines of a pipe, read without ever waiting longer than asked."""

from __future__ import annotations

import os
import selectors
from typing import IO

MAX_LINE_BYTES = 64 << 20
CHUNK_BYTES = 1 << 16


class LineTooLong(ValueError):
    """The other side wrote without end."""


class LinePipe:
    """The reading end of a pipe; `is_open` until the last writer closed it."""

    def __init__(self, stream: IO[bytes], max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.is_open = True
        self._fd = stream.fileno()
        self._unread = bytearray()
        self._max = max_line_bytes
        os.set_blocking(self._fd, False)

    def lines(self, timeout_s: float) -> list[bytes]:
        """Return the lines that arrive in one go; none when nothing came within `timeout_s`.

        A last line without its end is returned when the pipe closes. Raises LineTooLong.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            if not selector.select(max(0.0, timeout_s)):
                return []
        try:
            return self._split(os.read(self._fd, CHUNK_BYTES))
        except BlockingIOError:
            return []

    def _split(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            self.is_open = False
            return [bytes(self._unread)] if self._unread else []
        start = len(self._unread)
        self._unread += chunk
        end = self._unread.rfind(b"\n", start)
        if end < 0:
            if len(self._unread) > self._max:
                raise LineTooLong(f"a line longer than {self._max} bytes")
            return []
        whole = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return [line for line in whole.split(b"\n") if line.strip()]
