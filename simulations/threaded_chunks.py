"""The body of an answer that is read from a disk while it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator


def _nothing() -> None:
    """Close nothing: a generator closes what it opened when it is given up."""


class ThreadedChunks:
    """Draws each chunk in a thread, so that a slow disk does not hold up other requests."""

    def __init__(self, chunks: Iterator[bytes], close: Callable[[], None] = _nothing) -> None:
        self.chunks = chunks
        self.close = close  # Django calls it at the end, also of an answer nobody read.

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await asyncio.to_thread(next, self.chunks, None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk
