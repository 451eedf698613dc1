"""The end of what a terminal printed, for a browser that comes back."""

from __future__ import annotations

import re

MAX_BYTES = 256 << 10
OTHER_SCREEN = b"\x1b[?1049h"
# Editors and pagers draw on a screen of their own; 47 and 1047 are older names of it.
SWITCH = re.compile(rb"\x1b\[\?(?:1049|1047|47)([hl])")


class Replay:
    """At most MAX_BYTES of output, which begin with a line."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._is_on_other_screen = False

    def append(self, data: bytes) -> None:
        self._kept += data
        # Rarely, since it moves all that is kept.
        if len(self._kept) > 2 * MAX_BYTES:
            self._trim()

    def content(self) -> bytes:
        """Return what to print on an empty screen to have about what was there."""
        self._trim()
        return (OTHER_SCREEN if self._is_on_other_screen else b"") + bytes(self._kept)

    def _trim(self) -> None:
        excess = len(self._kept) - MAX_BYTES
        if excess <= 0:
            return
        # From a line's start: neither half a character nor half a control sequence.
        newline = self._kept.find(b"\n", excess)
        cut = newline + 1 if newline >= 0 else excess
        switches = SWITCH.findall(bytes(self._kept[:cut]))
        if switches:
            self._is_on_other_screen = switches[-1] == b"h"
        del self._kept[:cut]
