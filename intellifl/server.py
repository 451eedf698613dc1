"""daphne with a bound on the body of a request, which it otherwise keeps in memory.

Use it as daphne: `python -m intellifl.server -b HOST -p PORT intellifl.asgi:application`.
"""

from __future__ import annotations

from typing import Any

import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest

MAX_BODY_BYTES = 4 << 20
"""More than the application accepts, so that it can explain what is only somewhat too large."""
REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 23\r\nConnection: close\r\n\r\n"
    b"The body is too large.\n"
)


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request whose connection ends once its body is declared, or turns out, too large."""

    _received = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self._received > MAX_BODY_BYTES:
            return
        self._received += len(data)
        if self._received > MAX_BODY_BYTES:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self._received = MAX_BODY_BYTES + 1
        self.channel.transport.write(REFUSAL)
        self.channel.loseConnection()


class BoundedFactory(HTTPFactory):  # type: ignore[misc]
    """Makes such requests."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


def main() -> None:
    # daphne has no other way to choose its factory.
    daphne.server.HTTPFactory = BoundedFactory
    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
