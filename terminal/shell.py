"""Which shell a terminal runs, and what it may know of the server's environment."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

FALLBACKS = ("/bin/bash", "/bin/sh")
NO_SHELLS = frozenset({"nologin", "false", "sync"})
KEPT = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "HF_HOME",
        "HF_HUB_OFFLINE",
        "HOME",
        "INTELLIFL_DATA_DIR",
        "INTELLIFL_LOG_LEVEL",
        "INTELLIFL_OUT_DIR",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "TMPDIR",
        "TZ",
        "USER",
    }
)
"""What is handed on; everything else may be a secret."""
ADDRESSES = frozenset({"DATABASE_URL", "REDIS_URL"})
"""Handed on unless they hold, or could hold, a password."""


def command() -> list[str]:
    """Return the shell of the server's user, or bash where that user cannot log in."""
    own = Path(pwd.getpwuid(os.getuid()).pw_shell)
    for path in (own, *map(Path, FALLBACKS)):
        if path.name not in NO_SHELLS and path.is_absolute() and os.access(path, os.X_OK):
            return [str(path)]
    raise FileNotFoundError(f"there is no shell: neither {own} nor {' nor '.join(FALLBACKS)}")


def environment(source: Mapping[str, str], shell: str) -> dict[str, str]:
    """Return the shell's environment: what of `source` is known to be no secret, and its own."""
    kept = {name: value for name, value in source.items() if _is_harmless(name, value)}
    programs = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{source.get('PATH', os.defpath)}",
        "SHELL": shell,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


def _is_harmless(name: str, value: str) -> bool:
    if name in ADDRESSES:
        return "@" not in value and "?" not in value
    return name in KEPT or name.startswith("LC_")
