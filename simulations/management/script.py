"""What every command for the shell has in common: exit codes, and data apart from messages."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NoReturn

from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError


class Exit(IntEnum):
    """Exit codes; they are part of the interface."""

    OK = 0
    FAILED = 1
    INVALID = 2
    NOT_FOUND = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


class Script(BaseCommand):
    """A command whose standard output is data only; messages go to standard error, uncoloured."""

    requires_system_checks = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt:
            sys.exit(Exit.INTERRUPTED)
        except (OperationalError, ProgrammingError) as error:
            self.quit(
                Exit.UNAVAILABLE,
                f"The database cannot be used: {error}. `manage.py migrate` prepares it.",
            )

    def say(self, message: str) -> None:
        self.stderr.write(message, style_func=str)
        self.stderr.flush()

    def data(self, line: str) -> None:
        self.stdout.write(line, style_func=str)
        self.stdout.flush()

    def quit(self, code: Exit, *messages: str) -> NoReturn:
        self.say_all(messages)
        sys.exit(code)

    def say_all(self, messages: Iterable[str]) -> None:
        for message in messages:
            self.say(message)
