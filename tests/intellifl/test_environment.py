"""What is wrong with the environment is told at once, with the variable's name and no value."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from intellifl.environment import ROOT


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REDIS_URL", "http://user:canary@host", "REDIS_URL: String should match"),
        ("INTELLIFL_CONCURRENCY", "0", "INTELLIFL_CONCURRENCY: Input should be greater"),
        ("INTELLIFL_ALLOWED_HOSTS", "[1]", "INTELLIFL_ALLOWED_HOSTS[0]: Input should be"),
        ("INTELLIFL_HSTS_SECONDS", "-1", "INTELLIFL_HSTS_SECONDS: Input should be greater"),
        ("INTELLIFL_RESUME", "always", "INTELLIFL_RESUME: Input should be 'manual' or 'auto'"),
        ("INTELLIFL_CONCURENCY", "2", "INTELLIFL_CONCURENCY is not a setting; known are"),
    ],
)
def test_a_wrong_variable_ends_every_command(name: str, value: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and sentence in done.stderr
    assert "Traceback" not in done.stderr and "canary" not in done.stderr
