from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl.checkpoint import Checkpoints
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import StorageError
from simulations.fl.progress import Progress
from simulations.fl.removal import Standing
from simulations.fl.simulation import run

Resolved = Callable[..., SimulationConfig]


def progress(**changes: Any) -> Progress:
    given = {"vector": torch.arange(5.0), "integers": torch.tensor([7]), "round_number": 2}
    return Progress(**{**given, **changes})


def file(run_dir: Path, number: int = 0) -> Path:
    return run_dir / "checkpoints" / f"strategy_{number}.pt"


def test_everything_comes_back(resolved: Resolved, tmp_path: Path) -> None:
    saved = progress(
        strategy_state={"trust": torch.tensor([0.5, float("inf")]), "sums": {"3": [1, 2.5]}},
        standing=Standing(frozenset({4, 1}), frozenset({2})),
        finished=True,
        reason="no client is left",
    )
    checkpoints = Checkpoints(tmp_path, 0, resolved().strategies[0])
    checkpoints.save(saved)
    loaded = checkpoints.load()
    assert loaded is not None
    assert torch.equal(loaded.vector, saved.vector)
    assert torch.equal(loaded.integers, saved.integers)
    assert torch.equal(loaded.strategy_state["trust"], saved.strategy_state["trust"])
    assert loaded.strategy_state["sums"] == {"3": [1, 2.5]}
    assert loaded.standing == saved.standing
    assert (loaded.round_number, loaded.finished, loaded.reason) == (2, True, "no client is left")


def test_only_the_due_rounds_and_the_end_are_saved(resolved: Resolved, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, 0, resolved(checkpoint_every=3).strategies[0])
    checkpoints.save(progress(round_number=2))
    assert checkpoints.load() is None
    for number, finished, expected in [(3, False, 3), (4, False, 3), (5, True, 5)]:
        checkpoints.save(progress(round_number=number, finished=finished))
        loaded = checkpoints.load()
        assert loaded is not None and loaded.round_number == expected


def test_zero_means_never(resolved: Resolved, digits: ImageData, tmp_path: Path) -> None:
    config = resolved(checkpoint_every=0, num_of_rounds=1)
    list(run(config, lambda _: digits, run_dir=tmp_path, workers=1))
    assert not file(tmp_path).parent.exists()


def test_a_checkpoint_of_another_configuration_is_refused(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    list(run(resolved(num_of_rounds=1), lambda _: digits, run_dir=tmp_path, workers=1))
    other = resolved(num_of_rounds=1, learning_rate=0.1)
    with pytest.raises(StorageError, match="belongs to another configuration"):
        list(run(other, lambda _: digits, run_dir=tmp_path, workers=1, resume=True))


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_damaged_checkpoint_is_refused(
    resolved: Resolved, tmp_path: Path, content: bytes | None
) -> None:
    checkpoints = Checkpoints(tmp_path, 0, resolved().strategies[0])
    checkpoints.save(progress())
    whole = file(tmp_path).read_bytes()
    file(tmp_path).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(StorageError, match=r"strategy_0\.pt cannot be read"):
        checkpoints.load()


def test_a_checkpoint_with_code_in_it_is_refused(resolved: Resolved, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, 0, resolved().strategies[0])
    file(tmp_path).parent.mkdir()
    torch.save({"format": 1, "harmful": Path}, file(tmp_path))
    with pytest.raises(StorageError, match="cannot be read"):
        checkpoints.load()


def test_a_new_run_forgets_the_checkpoints_of_an_earlier_one(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    config = resolved({}, {"batch_size": 20}, num_of_rounds=1)
    list(run(config, lambda _: digits, run_dir=tmp_path, workers=1))
    events = run(config, lambda _: digits, run_dir=tmp_path, workers=1)
    while next(events).kind != "strategy_finished":
        assert not file(tmp_path, 1).exists()
    events.close()


def test_a_write_failure_ends_the_run(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    told = []
    with pytest.raises(StorageError, match=r"cannot write strategy_0\.pt"):
        for event in run(resolved(), lambda _: digits, run_dir=tmp_path, workers=2):
            told.append(event.kind)
    assert told == ["run_started", "strategy_started", "round_finished"]
