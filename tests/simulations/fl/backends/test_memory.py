"""Updates that memory has no room for."""

from __future__ import annotations

import dataclasses
import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl.backends import memory
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import StorageError
from simulations.fl.events import RoundFinished
from simulations.fl.simulation import run


class Model:
    device = torch.device("cpu")
    num_parameters = 1_000_003
    num_integers = 2


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every update for one that is more than memory has room for."""
    monkeypatch.setattr(memory, "SMALL_BYTES", 0)
    monkeypatch.setattr(memory, "MOST_OF_FREE", 0.0)


def rounds(config: SimulationConfig, digits: ImageData, **options: object) -> list[RoundFinished]:
    told = run(config, lambda _: digits, **options)  # type: ignore[arg-type]
    return [
        dataclasses.replace(
            event,
            round_seconds=None,
            score_calculation_time_ns=None,
            clients=[dataclasses.replace(client, train_seconds=None) for client in event.clients],
        )
        for event in told
        if isinstance(event, RoundFinished)
    ]


def test_small_updates_lie_in_memory(tmp_path: Path) -> None:
    exchange = memory.reserve(Model(), 3, tmp_path)  # type: ignore[arg-type]
    assert exchange.updates.shape == (3, Model.num_parameters)
    assert (exchange.updates == 0).all() and (exchange.vector == 0).all()
    with largest_file(0):
        memory.reserve(Model(), 3, tmp_path)  # type: ignore[arg-type]


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_with_its_updates_in_a_file_is_the_same_and_leaves_none(
    resolved: Callable[..., SimulationConfig],
    digits: ImageData,
    tmp_path: Path,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = resolved({"aggregation_strategy_keyword": "multi-krum"}, num_of_clients=6)
    with caplog.at_level(logging.WARNING):
        in_file = rounds(config, digits, run_dir=tmp_path, workers=workers)
    assert "are kept in a file" in caplog.text
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]
    monkeypatch.undo()
    assert in_file == rounds(config, digits, workers=workers)


@pytest.mark.usefixtures("no_memory")
def test_without_room_in_a_file_it_says_how_much_is_needed_and_where(tmp_path: Path) -> None:
    words = r"need 0\.0 GB, which neither memory nor .*test_without_room"
    with largest_file(1 << 20), pytest.raises(StorageError, match=words):
        memory.reserve(Model(), 3, tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
