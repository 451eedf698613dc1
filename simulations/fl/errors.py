"""What can go wrong in the engine, each with the exit code of the command line."""

from __future__ import annotations

from collections.abc import Sequence


class FLError(Exception):
    """Base of every error the engine raises on purpose; its text is a sentence for people."""

    exit_code = 1


class ConfigError(FLError):
    """A configuration that cannot run; `errors` lists everything wrong as `path: message`."""

    exit_code = 2

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(self.errors))


class DataError(FLError):
    """Data that is missing, unreadable or does not fit the configuration."""

    exit_code = 3


class DeviceError(FLError):
    """The requested training device does not exist on this machine."""

    exit_code = 4


class TrainingError(FLError):
    """A client or a worker failed while training; the message names the client."""

    exit_code = 5


class AggregationError(FLError):
    """A rule was given updates it cannot aggregate."""

    exit_code = 6


class StorageError(FLError):
    """A file of the run could not be written, for example because the disk is full."""

    exit_code = 7
