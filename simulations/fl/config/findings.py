"""Errors and warnings about a configuration, gathered so that all are told at once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Messages as `path: sentence`, each kept once and in the order found."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, path: str, message: str) -> None:
        _add(self.errors, path, message)

    def warn(self, path: str, message: str) -> None:
        _add(self.warnings, path, message)


def _add(messages: list[str], path: str, message: str) -> None:
    text = f"{path}: {message}" if path else message
    if text not in messages:
        messages.append(text)
