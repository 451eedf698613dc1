"""Where the development server listens: whether it can, who can reach it, how it is written."""

from __future__ import annotations

import errno
import ipaddress
import socket
from argparse import ArgumentTypeError

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def port(text: str) -> int:
    """Read a port from the command line."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def why_unusable(host: str, port: int) -> str | None:
    """Return a sentence when nothing can listen there, None when something can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"Port {port} of {host} is in use; stop the other program or choose --port."
        return f"Cannot listen on {host} port {port}: {error.strerror or error}."
    return None


def answers(host: str, port: int) -> bool:
    """Tell whether something listens there and takes a connection."""
    try:
        with socket.create_connection((ANY.get(host, host), port), timeout=1):
            return True
    except OSError:
        return False


def url(host: str, port: int) -> str:
    shown = ANY.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
