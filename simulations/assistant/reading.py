"""What holds while a tool runs: the database is only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class WriteRefused(RuntimeError):
    """A tool of the assistant tried to change the database."""


@contextmanager
def only_reading() -> Iterator[None]:
    """Let nothing but SELECT through to the database."""
    with connection.execute_wrapper(_refuse_writes):
        yield


def _refuse_writes(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    if not sql.lstrip().upper().startswith("SELECT"):
        raise WriteRefused(f"the assistant only reads, but was to do: {sql.split(maxsplit=1)[0]}")
    return execute(sql, params, many, context)
