from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulations.fl import journal
from simulations.fl.config import parse, resolve
from simulations.fl.errors import StorageError
from simulations.fl.events import RunFinished, StrategyStarted
from simulations.fl.journal import Journal

STARTED = StrategyStarted(0, 10, [5, 5])
LINE = (STARTED.to_line() + "\n").encode()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    book = Journal(tmp_path / "run", resume=False)
    book.write(LINE)
    book.write((RunFinished().to_line() + "\n").encode())
    assert list(journal.read(tmp_path / "run")) == [STARTED, RunFinished()]


def test_a_run_without_a_journal_has_no_events(tmp_path: Path) -> None:
    assert list(journal.read(tmp_path)) == []


@pytest.mark.parametrize("cut", [1, len(LINE) // 2, len(LINE) - 1])
def test_a_line_that_was_cut_off_is_dropped_and_written_over(tmp_path: Path, cut: int) -> None:
    Journal(tmp_path, resume=False).write(LINE)
    path = tmp_path / journal.NAME
    path.write_bytes(LINE + LINE[:cut])
    assert list(journal.read(tmp_path)) == [STARTED]
    Journal(tmp_path, resume=True).write(LINE)
    assert path.read_bytes() == LINE * 2


def test_a_new_run_starts_an_empty_one(tmp_path: Path) -> None:
    Journal(tmp_path, resume=False).write(LINE)
    Journal(tmp_path, resume=False).write(LINE)
    assert (tmp_path / journal.NAME).read_bytes() == LINE


def test_another_line_is_an_error(tmp_path: Path) -> None:
    (tmp_path / journal.NAME).write_text("{}\n")
    with pytest.raises(ValueError, match="not an event"):
        list(journal.read(tmp_path))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write events\.jsonl"):
        Journal(tmp_path / "file" / "run", resume=False)


def test_the_settings_repeat_the_run(tmp_path: Path) -> None:
    raw = {"aggregation_strategy_keyword": "fedavg", "dataset_keyword": "digits"}
    config = resolve(parse({**raw, "num_of_rounds": 2}), drawn_seed=5)
    journal.write_config(config, tmp_path)
    again = json.loads((tmp_path / journal.CONFIG).read_text())
    assert resolve(parse(again), drawn_seed=6).strategies == config.strategies
