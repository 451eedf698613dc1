from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


@pytest.fixture
def data_dir(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a pip that finds nothing."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_an_unknown_name_is_refused_with_the_nearest_and_nothing_is_fetched(data_dir: Path) -> None:
    with pytest.raises(CommandError, match="unknown dataset 'mnist5'; did you mean 'mnist5k'") as e:
        call_command("fetch_dataset", "digits", "mnist5")
    assert e.value.returncode == 2
    assert list(data_dir.iterdir()) == []


def test_a_name_like_no_other_lists_the_known_ones(data_dir: Path) -> None:
    with pytest.raises(CommandError, match="known are bloodmnist, breastmnist"):
        call_command("fetch_dataset", "qqqqqq")


def test_unavailable_data_ends_with_its_own_code(data_dir: Path) -> None:
    with pytest.raises(CommandError, match="digits is not on this machine") as e:
        call_command("fetch_dataset", "digits", stdout=StringIO())
    assert e.value.returncode == 4


@pytest.mark.slow
def test_fetched_data_is_reported_and_kept(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path
    call_command("fetch_dataset", "mnist5k")
    assert capsys.readouterr().out == "mnist5k: 4,000 training and 1,000 test images are ready\n"
    assert (tmp_path / "mnist5k" / "data.npz").is_file()
