from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path
from typing import Any

import pytest

from terminal import shell

CANARY = "canary-7f3a"
SECRETS = [
    "SECRET_KEY",
    "INTELLIFL_SECRET_KEY",
    "INTELLIFL_LLM_API_KEY",
    "INTELLIFL_RUN_TOKEN",
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "GITHUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "PGPASSWORD",
    "HTTPS_PROXY",
    "SSH_AUTH_SOCK",
    "PYTHONPATH",
    "LD_PRELOAD",
    "SOMETHING_NOBODY_THOUGHT_OF",
]


def test_nothing_that_may_be_a_secret_is_handed_on() -> None:
    source = dict.fromkeys(SECRETS, CANARY)
    source |= {
        "DATABASE_URL": f"postgres://ada:{CANARY}@db/intellifl",
        "REDIS_URL": f"redis://:{CANARY}@cache/0",
    }
    assert CANARY not in str(shell.environment(source, "/bin/bash"))
    queried = {"DATABASE_URL": f"postgres:///db?password={CANARY}"}
    assert CANARY not in str(shell.environment(queried, "/bin/bash"))


def test_what_a_shell_needs_is_there() -> None:
    source = {
        "HOME": "/home/ada",
        "LC_ALL": "de_DE.UTF-8",
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": "sqlite:////srv/db.sqlite3",
        "INTELLIFL_OUT_DIR": "/srv/out",
        "TERM": "dumb",
    }
    made = shell.environment(source, "/bin/zsh")
    assert made == {
        **source,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "SHELL": "/bin/zsh",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


@pytest.mark.parametrize(
    ("own", "run"),
    [
        ("/bin/sh", "/bin/sh"),
        ("/usr/sbin/nologin", "/bin/bash"),
        ("/bin/false", "/bin/bash"),
        ("/no/such/shell", "/bin/bash"),
        ("", "/bin/bash"),
        ("sh", "/bin/bash"),
    ],
)
def test_the_own_shell_runs_or_bash(own: str, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry: Any = pwd.struct_passwd(("ada", "x", os.getuid(), 1, "", "/", own))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    assert shell.command() == [run]
