"""Backends by keyword: dotted paths, as they load torch or flwr, of start(work, rows, staff)."""

from __future__ import annotations

BACKENDS: dict[str, str] = {
    "local": "simulations.fl.backends.local:start",
    "ray": "simulations.fl.backends.flower:start",
}
