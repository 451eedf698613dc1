"""The engine's outputs: events on standard output and in a journal, the log on standard error."""

from __future__ import annotations

import logging
import os
import sys
import time

from simulations.fl.events import (
    Event,
    RoundFinished,
    RunStarted,
    StrategyFinished,
    StrategyStarted,
)
from simulations.fl.journal import Journal


class EventStream:
    """Takes standard output for events alone; whatever prints to it later lands in the log."""

    journal: Journal | None = None

    def __init__(self) -> None:
        sys.stdout.flush()
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        if hasattr(os, "register_at_fork"):
            # A worker that held it open would hide the engine's end from whoever reads.
            os.register_at_fork(after_in_child=lambda: os.close(self._descriptor))

    def tell(self, event: Event) -> None:
        """Write the event as one line, at once; raise BrokenPipeError when nobody reads.

        Raises StorageError, and tells nobody, when the journal cannot be written.
        """
        line = (event.to_line() + "\n").encode()
        if self.journal is not None:
            self.journal.write(line)
        while line:
            line = line[os.write(self._descriptor, line) :]


def start_log() -> None:
    """Log on standard error as `2026-11-24T06:00:00.123 INFO message`, in UTC."""
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    form.converter = time.gmtime
    form.default_msec_format = "%s.%03d"
    form.default_time_format = "%Y-%m-%dT%H:%M:%S"
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=[target], force=True)


def sentence(event: Event) -> str | None:
    """Return the line of the log that tells an event, or None where it needs none."""
    match event:
        case RunStarted():
            again = "resumed" if event.resumed else "started"
            strategies = _plural(event.num_strategies, "strategy", "strategies")
            workers = _plural(event.num_workers, "worker")
            return f"run {again}: {strategies} on {event.device} with {workers}"
        case StrategyStarted():
            return (
                f"strategy {event.strategy_number}: from round {event.first_round}, "
                f"{len(event.client_sizes)} clients with {min(event.client_sizes)} to "
                f"{max(event.client_sizes)} samples, {event.num_parameters} parameters"
            )
        case RoundFinished():
            return _round(event)
        case StrategyFinished():
            end = f"ended early: {event.reason}" if event.reason else "finished"
            return f"strategy {event.strategy_number}: {end} ({_plural(event.rounds, 'round')})"
    return None


def _round(event: RoundFinished) -> str:
    return (
        f"strategy {event.strategy_number} round {event.round_number}: "
        f"global accuracy {_number(event.global_accuracy)}, "
        f"loss {_number(event.global_loss)}, {_number(event.round_seconds)} s"
    )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _plural(count: int, noun: str, many: str | None = None) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {many or noun + 's'}"
