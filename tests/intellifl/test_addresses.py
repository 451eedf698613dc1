from __future__ import annotations

import socket
from argparse import ArgumentTypeError

import pytest

from intellifl import addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert addresses.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not addresses.is_loopback(host)


@pytest.mark.parametrize("bad", ["0", "65536", "-1", "x", "80.0", ""])
def test_a_port_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ArgumentTypeError, match="1 to 65535"):
        addresses.port(bad)


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = addresses.why_unusable("127.0.0.1", port)
        assert told is not None and f"Port {port}" in told and "--port" in told
        assert addresses.answers("127.0.0.1", port)
    assert addresses.why_unusable("127.0.0.1", port) is None
    assert not addresses.answers("127.0.0.1", port)


def test_a_host_that_is_not_of_this_machine_is_told() -> None:
    told = addresses.why_unusable("192.0.2.1", 8000)
    assert told is not None and "192.0.2.1" in told


def test_addresses_are_written_for_a_browser() -> None:
    assert addresses.url("0.0.0.0", 1) == "http://127.0.0.1:1"
    assert addresses.url("::1", 1) == addresses.url("::", 1) == "http://[::1]:1"
