"""Checkpoints: a strategy's progress in a file, so that a run can go on where it was cut off."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from simulations.fl import atomic, strict_json
from simulations.fl.config import StrategyConfig, as_json
from simulations.fl.errors import StorageError
from simulations.fl.progress import Progress
from simulations.fl.removal import Standing

FOLDER = "checkpoints"
FORMAT = 1


class Checkpoints:
    """The checkpoint of strategy `number` in a run's folder; without a folder, none is kept."""

    def __init__(self, run_dir: Path | None, number: int, config: StrategyConfig) -> None:
        self._path = None if run_dir is None else run_dir / FOLDER / f"strategy_{number}.pt"
        self._every = config.checkpoint_every
        self._fingerprint = fingerprint(config)

    def save(self, progress: Progress) -> None:
        """Write `progress` when it is due: every so many rounds, and at the end.

        Raises StorageError when it cannot be written; the previous checkpoint then stays.
        """
        if self._path is None or self._every == 0:
            return
        if progress.finished or progress.round_number % self._every == 0:
            content = io.BytesIO()
            torch.save({"fingerprint": self._fingerprint, **_plain(progress)}, content)
            with atomic.replacing(self._path) as draft:
                draft.write_bytes(content.getbuffer())

    def load(self) -> Progress | None:
        """Return the saved progress, or None where there is none.

        Raises StorageError for a file that is damaged or belongs to another configuration.
        """
        if self._path is None or not self._path.exists():
            return None
        content = _read(self._path)
        if content.get("format") != FORMAT:
            raise StorageError(
                f"{self._path.name} has format {content.get('format')}, this version reads "
                f"{FORMAT}; start the run again without --resume"
            )
        if content.get("fingerprint") != self._fingerprint:
            raise StorageError(
                f"{self._path.name} belongs to another configuration of this strategy, so the run "
                "cannot go on from it; resume with the configuration it was started with, or "
                "start again without --resume"
            )
        return _progress(content)

    def discard(self) -> None:
        """Remove what an earlier run left, so that it is never taken for this one's."""
        if self._path is None or not self._path.exists():
            return
        try:
            self._path.unlink()
        except OSError as error:
            raise StorageError(
                f"cannot remove the {self._path.name} of an earlier run: {error.strerror}"
            ) from error


def fingerprint(config: StrategyConfig) -> str:
    """Return the sha256 of a strategy's resolved settings."""
    return hashlib.sha256(strict_json.dumps(as_json(config)).encode()).hexdigest()


def _plain(progress: Progress) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "round_number": progress.round_number,
        "vector": progress.vector.cpu(),
        "integers": progress.integers.cpu(),
        "strategy_state": progress.strategy_state,
        "removed": sorted(progress.standing.removed),
        "suspended": sorted(progress.standing.suspended),
        "finished": progress.finished,
        "reason": progress.reason,
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError, KeyError) as error:
        raise StorageError(
            f"{path.name} cannot be read ({error}); start the run again without --resume"
        ) from error
    return content


def _progress(content: dict[str, Any]) -> Progress:
    return Progress(
        vector=content["vector"],
        integers=content["integers"],
        round_number=content["round_number"],
        strategy_state=content["strategy_state"],
        standing=Standing(frozenset(content["removed"]), frozenset(content["suspended"])),
        finished=content["finished"],
        reason=content["reason"],
    )
