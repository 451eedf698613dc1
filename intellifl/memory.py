"""How this process gets memory from the system."""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8


def use_one_arena() -> None:
    """Have all threads take memory from one place, where the C library is glibc.

    glibc gives threads places of their own, which keep what the threads leave. Threads of Python
    hardly ever ask at the same time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
