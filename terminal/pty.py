"""A shell on a pseudo-terminal, for an event loop: read, write, resize, end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from terminal import keeper

READ_BYTES = 64 << 10
MAX_PENDING_BYTES = 1 << 20
END_S = keeper.GRACE_S + keeper.KILL_S + 3.0
IUTF8 = 0o40000
"""The flag by which the kernel erases whole characters; Python has no name for it."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Size:
    """In characters."""

    rows: int = 24
    cols: int = 80


@dataclass(frozen=True)
class Ending:
    """How the shell ended: by itself with an exit code, or for the keeper's reason."""

    exit_code: int | None
    reason: str


class Pty:
    """A running shell. Use it from the event loop that was running when it was made.

    Raises OSError when the system can start no process or has no terminal left.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        max_processes: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._master, slave = os.openpty()
        try:
            os.set_blocking(self._master, False)
            _erase_whole_characters(slave)
            self.resize(Size())
            program = [sys.executable, "-I", str(Path(keeper.__file__).resolve()), str(slave)]
            self._keeper = subprocess.Popen(
                [*program, str(max_processes), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(slave,),
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self._pending = bytearray()
        self._wake: asyncio.Future[None] | None = None
        self.ended: asyncio.Future[Ending] = self._loop.create_future()
        assert self._keeper.stdout is not None
        self._loop.add_reader(self._keeper.stdout, self._take_report)

    @property
    def pid(self) -> int:
        """The process id of the keeper."""
        return self._keeper.pid

    async def read(self) -> bytes:
        """Return what was printed, at most READ_BYTES, once there is something; b"" at the end.

        Nothing is read ahead: who does not call this stops the shell at its next full buffer.
        """
        while (data := self._available()) is None:
            if self.ended.done():
                return b""
            await self._readable()
        return data

    def write(self, data: bytes) -> bool:
        """Type `data`; tell whether it was taken, which it is not while too much waits."""
        if len(self._pending) + len(data) > MAX_PENDING_BYTES:
            return False
        self._pending += data
        self._write_pending()
        return True

    def resize(self, size: Size) -> None:
        termios.tcsetwinsize(self._master, (size.rows, size.cols))

    def redraw(self) -> None:
        """Have the program in front draw its screen again."""
        with suppress(OSError):
            os.killpg(os.tcgetpgrp(self._master), signal.SIGWINCH)

    async def end(self) -> Ending:
        """End the shell and all it started; return how it had ended, or that it was asked to."""
        self.ask_to_end()
        try:
            return await asyncio.wait_for(asyncio.shield(self.ended), END_S)
        except TimeoutError:
            logger.error("keeper %d of a terminal does not end; it is killed", self.pid)
            self._keeper.kill()
            return await self.ended

    def ask_to_end(self) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()

    def close(self) -> None:
        """Give back the files; the keeper ends, if it has not yet, and with it the shell."""
        assert self._keeper.stdout is not None
        self.ask_to_end()
        self._loop.remove_reader(self._keeper.stdout)
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self._keeper.stdout.close()
        os.close(self._master)
        self._set_ended(Ending(None, keeper.ASKED))

    def _available(self) -> bytes | None:
        """Return what there is to read, None when there is nothing yet."""
        chunks = []
        size = 0
        try:
            while size < READ_BYTES:
                chunk = os.read(self._master, READ_BYTES - size)
                if not chunk:
                    break
                chunks.append(chunk)
                size += len(chunk)
        except BlockingIOError:
            return b"".join(chunks) or None
        except OSError:
            # Linux says EIO once nobody has the other side open.
            pass
        return b"".join(chunks)

    async def _readable(self) -> None:
        self._wake = self._loop.create_future()
        self._loop.add_reader(self._master, self._woken)
        try:
            await self._wake
        finally:
            self._loop.remove_reader(self._master)
            self._wake = None

    def _woken(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _write_pending(self) -> None:
        try:
            written = os.write(self._master, self._pending) if self._pending else 0
            del self._pending[:written]
        except BlockingIOError:
            pass
        except OSError:
            self._pending.clear()
        if self._pending:
            self._loop.add_writer(self._master, self._write_pending)
        else:
            self._loop.remove_writer(self._master)

    def _take_report(self) -> None:
        """Read the keeper's one line, or its sudden end; it writes the line at once."""
        assert self._keeper.stdout is not None
        self._loop.remove_reader(self._keeper.stdout)
        line = self._keeper.stdout.read()
        self._keeper.wait()
        if not line:
            logger.error("keeper %d of a terminal ended by itself", self.pid)
            self._set_ended(Ending(None, "its keeper was killed"))
            return
        report = json.loads(line)
        if report["survivors"]:
            logger.error("processes of a terminal survive: %s", report["survivors"])
        self._set_ended(Ending(report["exit_code"], report["reason"]))

    def _set_ended(self, ending: Ending) -> None:
        if not self.ended.done():
            self.ended.set_result(ending)
        self._woken()


def _erase_whole_characters(terminal: int) -> None:
    flags = termios.tcgetattr(terminal)
    flags[0] |= IUTF8 if sys.platform == "linux" else 0
    termios.tcsetattr(terminal, termios.TCSANOW, flags)
