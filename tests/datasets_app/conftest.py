"""A data folder of each test's own, with one small dataset of the catalogue in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PILImage


@pytest.fixture
def own_data(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that holds `its`; pip and the hub find nothing, here and in child processes."""
    folder = tmp_path / "data"
    for name in ("car", "bus"):
        (folder / "its" / name).mkdir(parents=True)
        for number in range(5):
            PILImage.new("L", (8, 8), number).save(folder / "its" / name / f"{number}.png")
    settings.DATA_DIR = folder
    monkeypatch.setenv("INTELLIFL_DATA_DIR", str(folder))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return folder
