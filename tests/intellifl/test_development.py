from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from intellifl import development


@pytest.mark.parametrize("verb", ["help", "--help", "-h"])
def test_help_tells_the_verbs(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert development.main([verb]) == 0
    captured = capsys.readouterr()
    assert "intellifl-dev dev" in captured.out and captured.err == ""


@pytest.mark.parametrize(("arguments", "problem"), [(["start"], "'start'"), ([], "missing")])
def test_another_verb_is_a_usage_error(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert development.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and problem in captured.err and "usage:" in captured.err


def test_the_console_script_passes_its_arguments_on() -> None:
    script = Path(sys.executable).parent / "intellifl-dev"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([script, "dev", "--port", port], capture_output=True, text=True)
    assert done.returncode == 4 and f"Port {port}" in done.stderr and done.stdout == ""


def test_a_bad_argument_of_dev_is_a_usage_error() -> None:
    script = Path(sys.executable).parent / "intellifl-dev"
    done = subprocess.run([script, "dev", "--port", "x"], capture_output=True, text=True)
    assert done.returncode == 2 and "1 to 65535" in done.stderr
