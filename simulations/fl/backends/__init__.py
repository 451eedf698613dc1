"""Backends by keyword: where clients train; dotted paths, as they load torch or flwr."""

from __future__ import annotations

BACKENDS: dict[str, str] = {
    "local": "simulations.fl.backends.local:LocalBackend",
}
