"""Large answers whose chunks are drawn one after the other, from a query that stays open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async


class Chunks:
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
