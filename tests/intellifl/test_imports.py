"""Modules are hidden from an import, and are there again afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from intellifl.environment import ROOT
from intellifl.imports import without


def test_a_hidden_module_is_not_there_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with without("wave"), pytest.raises(ModuleNotFoundError):
        import wave
    import wave

    assert callable(wave.open)
    with without("wave"):
        import wave as same
    assert same is wave, "what is loaded stays"


SERVER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "intellifl.settings"
import intellifl.server, intellifl.asgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*(name for name in ("OpenSSL", "psycopg", "requests", "pygments") if name in sys.modules))
"""


def test_the_server_loads_nothing_that_it_has_no_use_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///unused.sqlite3")
    command = [sys.executable, "-c", SERVER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
